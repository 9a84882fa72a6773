//! Secrets: read when something is sent, put where their marks stand, masked in everything else.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::config::settings::SecretSource;
use crate::event::delivery::FramingError;
use crate::value;

/// Reads a secret where it is kept. Called at each attempt, so a rotated key is used by the next one.
pub trait ReadSecret: Send + Sync + fmt::Debug {
    /// The text of the secret, or why there is none.
    fn read(&self, source: &SecretSource) -> Result<Arc<str>, String>;
}

/// The byte on both sides of a mark, see [`crate::value::Value::Secret`].
const MARK: u8 = 1;

/// The number of the mark that stands for the list of items in a `wrap`.
pub(super) const ITEMS: u16 = u16::MAX;

/// The secret settings of one destination, by the number their marks carry.
#[derive(Clone, Debug)]
pub struct Secrets {
    reader: Arc<dyn ReadSecret>,
    /// Setting name and where its secret is, for each setting of the definition; `None` for those
    /// that are no secrets or not given.
    slots: Arc<[Option<(String, SecretSource)>]>,
    /// User name and password of each Basic authentication, as marked texts.
    logins: Arc<[(String, String)]>,
}

impl Secrets {
    pub(super) fn new(
        reader: Arc<dyn ReadSecret>,
        slots: impl Into<Arc<[Option<(String, SecretSource)>]>>,
    ) -> Self {
        Self {
            reader,
            slots: slots.into(),
            logins: Arc::default(),
        }
    }

    /// The same, with the logins that are sent: an echo of their header is masked as well.
    pub(super) fn with_logins(self, logins: Vec<(String, String)>) -> Self {
        Self {
            logins: logins.into(),
            ..self
        }
    }

    fn read(&self, number: &[u8]) -> Result<Arc<str>, FramingError> {
        let number = std::str::from_utf8(number)
            .ok()
            .and_then(|digits| digits.parse().ok());
        let slot = number
            .and_then(|number: usize| self.slots.get(number))
            .and_then(Option::as_ref);
        let (setting, source) = slot.ok_or_else(|| FramingError::SecretUnavailable {
            setting: "?".to_owned(),
            cause: "it is not set".to_owned(),
        })?;
        self.reader
            .read(source)
            .map_err(|cause| FramingError::SecretUnavailable {
                setting: setting.clone(),
                cause,
            })
    }

    /// Replaces the marks of a plain text, such as a header, by the secrets as they are.
    pub(super) fn fill_text(&self, text: &str) -> Result<String, FramingError> {
        let mut filled = String::with_capacity(text.len());
        for (n, piece) in text.split(char::from(MARK)).enumerate() {
            // Text and numbers of marks alternate.
            if n % 2 == 0 {
                filled.push_str(piece);
            } else {
                filled.push_str(&self.read(piece.as_bytes())?);
            }
        }
        Ok(filled)
    }

    /// Appends JSON, replacing each marked string by the secret as a JSON string.
    pub(super) fn fill_json(&self, json: &[u8], out: &mut Vec<u8>) -> Result<(), FramingError> {
        for piece in marked_strings(json) {
            match piece {
                Piece::Plain(plain) => out.extend_from_slice(plain),
                Piece::Mark(number) => value::write_text(&self.read(number)?, out),
            }
        }
        Ok(())
    }

    /// Takes every secret out of a text that came from outside, in each spelling that a request or
    /// an echo of it may have: plain, escaped for JSON or a URL, base64 alone or in a login.
    pub(super) fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        // A shorter one would blacken ordinary words, and is no secret.
        const SECRET_BYTES_MIN: usize = 4;
        let mut masked = Cow::Borrowed(text);
        for spelling in self.spellings() {
            if SECRET_BYTES_MIN <= spelling.len() && masked.contains(&spelling) {
                masked = Cow::Owned(masked.replace(&spelling, "***"));
            }
        }
        masked
    }

    /// Longer spellings first, so that none is cut up by a shorter one inside it.
    fn spellings(&self) -> Vec<String> {
        let mut spellings = Vec::new();
        for (user, password) in &*self.logins {
            if let (Ok(user), Ok(password)) = (self.fill_text(user), self.fill_text(password)) {
                spellings.push(BASE64.encode(format!("{user}:{password}")));
            }
        }
        for (_, source) in self.slots.iter().flatten() {
            let Ok(secret) = self.reader.read(source) else {
                continue;
            };
            let mut json = Vec::new();
            value::write_text(&secret, &mut json);
            let json = String::from_utf8(json).unwrap_or_default();
            spellings.push(json.trim_matches('"').to_owned());
            let set = percent_encoding::NON_ALPHANUMERIC;
            spellings.push(percent_encoding::utf8_percent_encode(&secret, set).to_string());
            spellings.push(BASE64.encode(&*secret));
            spellings.push((*secret).to_owned());
        }
        spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
        spellings
    }
}

/// A stretch of JSON without marks, or the number in a marked string.
pub(super) enum Piece<'a> {
    /// JSON as it is.
    Plain(&'a [u8]),
    /// What stood between the two mark bytes; the quotes around them are gone.
    Mark(&'a [u8]),
}

/// Cuts JSON at its marked strings, quotes included.
pub(super) fn marked_strings(json: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let mut pieces = json.split(|byte| *byte == MARK).enumerate().peekable();
    std::iter::from_fn(move || {
        let (n, piece) = pieces.next()?;
        // Plain stretches and numbers of marks alternate.
        if n % 2 == 1 {
            return Some(Piece::Mark(piece));
        }
        let behind_mark = 0 < n;
        let before_mark = pieces.peek().is_some();
        let piece = piece
            .strip_prefix(b"\"")
            .filter(|_| behind_mark)
            .unwrap_or(piece);
        let piece = piece
            .strip_suffix(b"\"")
            .filter(|_| before_mark)
            .unwrap_or(piece);
        Some(Piece::Plain(piece))
    })
}

/// JSON for people: every marked string reads `***`.
pub fn masked(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    for piece in marked_strings(json) {
        out.extend_from_slice(match piece {
            Piece::Plain(plain) => plain,
            Piece::Mark(_) => b"\"***\"",
        });
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Says each secret's own name, in capitals.
    #[derive(Debug)]
    pub(in crate::route) struct Loud;

    impl ReadSecret for Loud {
        fn read(&self, source: &SecretSource) -> Result<Arc<str>, String> {
            match source {
                SecretSource::Plain(text) => Ok(text.as_str().into()),
                SecretSource::Environment(name) => Ok(name.to_uppercase().into()),
                SecretSource::File(_) => Err("no such file".to_owned()),
            }
        }
    }

    fn secrets() -> Secrets {
        let plain = |text: &str| Some(("token".to_owned(), SecretSource::Plain(text.to_owned())));
        Secrets::new(Arc::new(Loud), [plain("qu\"ote"), None, plain("plainly")])
    }

    #[test]
    fn puts_secrets_where_their_marks_stand() {
        let mut out = Vec::new();
        secrets().fill_json(b"\"\x010\x01\"", &mut out).unwrap();
        secrets()
            .fill_json(b"[{\"a\":\"\x012\x01\",\"b\":\"\"}]", &mut out)
            .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#""qu\"ote"[{"a":"plainly","b":""}]"#
        );
        assert_eq!(
            secrets().fill_text("Bearer \u{1}2\u{1}!").unwrap(),
            "Bearer plainly!"
        );
    }

    #[test]
    fn a_secret_that_is_not_there_is_an_error_that_names_the_setting() {
        let missing = Some(("key".to_owned(), SecretSource::File("/x".into())));
        let secrets = Secrets::new(Arc::new(Loud), [missing]);
        let error = secrets.fill_text("\u{1}0\u{1}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "secret of setting `key` is not available: no such file"
        );
        assert!(secrets.fill_text("\u{1}7\u{1}").is_err());
    }

    #[test]
    fn masks_marks_and_secrets() {
        assert_eq!(masked(b"{\"a\":\"\x010\x01\"}"), b"{\"a\":\"***\"}");
        assert_eq!(secrets().mask("you sent plainly, bad"), "you sent ***, bad");
    }

    #[test]
    fn masks_what_a_destination_echoes_of_a_login() {
        let secrets = secrets().with_logins(vec![
            ("site".to_owned(), "\u{1}2\u{1}".to_owned()),
            ("\u{1}2\u{1}".to_owned(), String::new()),
        ]);
        for echoed in ["site:plainly", "plainly:", "plainly"] {
            let text = format!("bad header Basic {}!", BASE64.encode(echoed));
            assert_eq!(secrets.mask(&text), "bad header Basic ***!", "{echoed}");
        }
        assert_eq!(secrets.mask(r#"{"key":"qu\"ote"}"#), r#"{"key":"***"}"#);
        assert_eq!(secrets.mask("?key=qu%22ote"), "?key=***");
    }
}
