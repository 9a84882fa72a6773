//! Whose request it is: Basic credentials to a source.
//!
//! A presented key is hashed and compared in constant time; an unknown site id takes the same path
//! as a wrong key, against a digest nothing hashes to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use sha2::Digest;
use sha2::Sha256;
use subtle::Choice;
use subtle::ConstantTimeEq;

/// Some clients pad and some do not.
const PADDING_OPTIONAL: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, PADDING_OPTIONAL);

/// Who may send: site id and key of every source. Holds digests, never a key.
#[derive(Clone, Default)]
pub struct Credentials {
    by_site: BTreeMap<Arc<str>, Vec<Entry>>,
}

#[derive(Clone)]
struct Entry {
    source: Arc<str>,
    digest: [u8; 32],
}

/// One configured credential; borrows the key only while the table is built.
#[derive(Clone, Copy)]
pub struct Credential<'a> {
    /// The source it belongs to.
    pub source: &'a Arc<str>,
    /// The user name.
    pub site_id: &'a Arc<str>,
    /// The password.
    pub api_key: &'a str,
}

/// Whom a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The source.
    pub source: Arc<str>,
    /// The site id it presented; `None` for the default source.
    pub site_id: Option<Arc<str>>,
}

/// What the `Authorization` header of a request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Credentials of a source.
    Known(Origin),
    /// No header.
    Absent,
    /// Another scheme, an unreadable header, an unknown site id or a wrong key.
    Wrong,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_site.keys()).finish()
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("source", &self.source)
            .field("site_id", &self.site_id)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// The table of `credentials`. One site id may have several keys, which is how keys rotate.
    ///
    /// An empty key is left out: a secret that resolved to nothing must not open the door.
    pub fn new<'a>(credentials: impl IntoIterator<Item = Credential<'a>>) -> Self {
        let mut by_site: BTreeMap<Arc<str>, Vec<Entry>> = BTreeMap::new();
        for Credential {
            source,
            site_id,
            api_key,
        } in credentials
        {
            if !api_key.is_empty() {
                let entry = Entry {
                    source: Arc::clone(source),
                    digest: digest(api_key.as_bytes()),
                };
                by_site.entry(Arc::clone(site_id)).or_default().push(entry);
            }
        }
        Self { by_site }
    }

    /// Whose credentials the `Authorization` header holds.
    pub fn identify(&self, authorization: Option<&[u8]>) -> Identity {
        let Some(authorization) = authorization else {
            return Identity::Absent;
        };
        let Some(pair) = decode_basic(authorization) else {
            return Identity::Wrong;
        };
        let (site, key) = split_at_colon(&pair);
        self.find(site, key)
            .map_or(Identity::Wrong, Identity::Known)
    }

    fn find(&self, site: &[u8], key: &[u8]) -> Option<Origin> {
        // All zeros has no known preimage.
        const NOBODY: [u8; 32] = [0; 32];
        let presented = digest(key);
        let known = std::str::from_utf8(site)
            .ok()
            .and_then(|site| self.by_site.get_key_value(site));
        let Some((site_id, entries)) = known else {
            std::hint::black_box(presented.ct_eq(&NOBODY));
            return None;
        };
        let mut found = None;
        for entry in entries {
            let same: Choice = entry.digest.ct_eq(&presented);
            if bool::from(same) {
                found = Some(&entry.source);
            }
        }
        found.map(|source| Origin {
            source: Arc::clone(source),
            site_id: Some(Arc::clone(site_id)),
        })
    }
}

/// `site:key` from `Basic …`, in either base64 alphabet: the Go SDK sends the URL-safe one.
fn decode_basic(authorization: &[u8]) -> Option<Vec<u8>> {
    let (scheme, rest) = authorization.split_at_checked("Basic".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic") || !rest.starts_with(b" ") {
        return None;
    }
    let mut text = rest.trim_ascii().to_vec();
    for byte in &mut text {
        *byte = match *byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
    }
    let pair = STANDARD.decode(text).ok()?;
    pair.contains(&b':').then_some(pair)
}

fn split_at_colon(pair: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = pair.splitn(2, |byte| *byte == b':');
    (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    )
}

fn digest(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::BASE64_STANDARD;
    use base64::prelude::BASE64_STANDARD_NO_PAD;
    use base64::prelude::BASE64_URL_SAFE;

    fn table(entries: &[(&str, &str, &str)]) -> Credentials {
        let owned: Vec<(Arc<str>, Arc<str>, &str)> = entries
            .iter()
            .map(|(source, site, key)| ((*source).into(), (*site).into(), *key))
            .collect();
        Credentials::new(owned.iter().map(|(source, site_id, api_key)| Credential {
            source,
            site_id,
            api_key,
        }))
    }

    fn source_of(table: &Credentials, header: &str) -> Option<String> {
        match table.identify(Some(header.as_bytes())) {
            Identity::Known(origin) => Some(origin.source.to_string()),
            Identity::Absent => panic!("a header is there"),
            Identity::Wrong => None,
        }
    }

    #[test]
    fn both_alphabets_are_read_padded_or_not() {
        // Of this pair the two alphabets differ in three places.
        let table = table(&[("web", "site~~~", "key???>>>")]);
        let pair = "site~~~:key???>>>";
        assert_ne!(BASE64_STANDARD.encode(pair), BASE64_URL_SAFE.encode(pair));
        for encoded in [
            BASE64_STANDARD.encode(pair),
            BASE64_STANDARD_NO_PAD.encode(pair),
            BASE64_URL_SAFE.encode(pair),
            BASE64_URL_SAFE
                .encode(pair)
                .trim_end_matches('=')
                .to_owned(),
        ] {
            for scheme in ["Basic", "basic", "BASIC"] {
                let header = format!("{scheme} {encoded}");
                assert_eq!(
                    source_of(&table, &header).as_deref(),
                    Some("web"),
                    "{header}"
                );
            }
        }
    }

    #[test]
    fn a_key_may_hold_colons_and_any_text() {
        let table = table(&[("web", "s", "a:b:ü")]);
        let header = format!("Basic {}", BASE64_STANDARD.encode("s:a:b:ü"));
        assert_eq!(source_of(&table, &header).as_deref(), Some("web"));
    }

    #[test]
    fn one_site_may_have_several_keys_while_they_rotate() {
        let table = table(&[
            ("web", "s", "old"),
            ("web", "s", "new"),
            ("app", "t", "old"),
        ]);
        for (pair, source) in [("s:old", "web"), ("s:new", "web"), ("t:old", "app")] {
            let header = format!("Basic {}", BASE64_STANDARD.encode(pair));
            assert_eq!(
                source_of(&table, &header).as_deref(),
                Some(source),
                "{pair}"
            );
        }
    }

    #[test]
    fn everything_else_is_wrong() {
        let table = table(&[("web", "s", "k"), ("broken", "e", "")]);
        for header in [
            "",
            "Basic",
            "Basic ",
            "Basicczpr",
            "Basic !!!!",
            "Bearer czpr",
            // s:k2, s2:k, a pair without a colon, an empty key, bytes that are not UTF-8.
            "Basic czprMg==",
            "Basic czI6aw==",
            "Basic czpr czpr",
            "Basic c2s=",
            "Basic ZTo=",
            "Basic //86aw==",
        ] {
            assert_eq!(
                table.identify(Some(header.as_bytes())),
                Identity::Wrong,
                "{header}"
            );
        }
        assert_eq!(table.identify(None), Identity::Absent);
    }

    #[test]
    fn printing_shows_no_key() {
        let table = table(&[("web", "site", "hush")]);
        assert_eq!(format!("{table:?}"), r#"{"site"}"#);
        let (source, site_id) = ("web".into(), "site".into());
        let one = Credential {
            source: &source,
            site_id: &site_id,
            api_key: "hush",
        };
        assert!(!format!("{one:?}").contains("hush"));
    }
}
