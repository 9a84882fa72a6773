//! Single values: texts, quantities, words, names, paths, addresses, secrets.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::decode::Cx;
use crate::config::quantity;
use crate::config::settings::SecretSource;
use crate::config::yaml::Data;
use crate::config::yaml::Node;
use crate::config::yaml::Provenance;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggest;
use crate::text::Excerpt;
use crate::text::Span;

/// Longest name of a source, destination, lane …: they are parts of metrics and file names.
const NAME_CHARS_MAX: usize = 64;

impl Cx<'_> {
    /// Literal text. `==…` stands for text that starts with `=`.
    pub(in crate::config) fn text(&mut self, node: &Node) -> Option<String> {
        let text = self.excerpt(node, "text")?;
        if text.text().starts_with("secret://") && node.provenance == Provenance::Written {
            self.diagnostics.push(
                Diagnostic::error(
                    Code::SecretNotAllowed,
                    node.span,
                    "a secret cannot stand here",
                )
                .help("secrets are `api_key` of credentials and secret settings of destinations"),
            );
            return None;
        }
        self.unescaped(node, &text)
    }

    /// Literal text as written, whatever it looks like.
    fn excerpt(&mut self, node: &Node, wanted: &str) -> Option<Excerpt> {
        match &node.data {
            Data::Text(text) => Some(text.clone()),
            Data::Number(_) | Data::Bool(_) => {
                let written = self.sources.text(node.span);
                let quoted = format!("\"{written}\"");
                let message = format!("{wanted} is expected here, this is {}", node.kind());
                self.diagnostics
                    .push(Diagnostic::error(Code::WrongType, node.span, message).fix(
                        "put it in quotes",
                        node.span,
                        quoted,
                    ));
                None
            }
            _ => self.wrong_type(node, wanted),
        }
    }

    fn unescaped(&mut self, node: &Node, text: &Excerpt) -> Option<String> {
        let written = text.text();
        if node.provenance != Provenance::Written || !written.starts_with('=') {
            return Some(written.to_owned());
        }
        if let Some(literal) = written.strip_prefix("==") {
            return Some(format!("={literal}"));
        }
        let sigil = text.span(0, 1);
        self.diagnostics.push(
            Diagnostic::error(Code::InvalidValue, sigil, "an expression cannot stand here")
                .here("text that starts with `=` is an expression")
                .fix("write `==` if the text itself starts with `=`", sigil, "=="),
        );
        None
    }

    /// A value with a notation of its own. Not set in the environment, where that is no error, is
    /// as if the key were not there.
    pub(in crate::config) fn parsed<T>(
        &mut self,
        node: &Node,
        wanted: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = match &node.data {
            Data::Text(text) => text.text(),
            Data::Number(text) => text,
            Data::Bool(true) => "true",
            Data::Bool(false) => "false",
            _ => return self.wrong_type(node, wanted),
        };
        if node.provenance == Provenance::Unset {
            return None;
        }
        let why = match read(text) {
            Ok(value) => return Some(value),
            Err(why) => why,
        };
        if node.provenance == Provenance::Environment {
            return self.wrong_environment(node, wanted);
        }
        self.refuse(Code::InvalidValue, node.span, why)
    }

    /// Says nothing of what the value is: variables hold secrets, and this may be a mix-up.
    pub(in crate::config) fn wrong_environment<T>(
        &mut self,
        node: &Node,
        wanted: &str,
    ) -> Option<T> {
        let message = format!("{wanted} is expected here");
        self.diagnostics.push(
            Diagnostic::error(Code::InterpolatedType, node.span, message)
                .here("with the environment put in, this is none"),
        );
        None
    }

    /// `30s`.
    pub(in crate::config) fn duration(&mut self, node: &Node) -> Option<Duration> {
        self.parsed(node, "a duration", quantity::duration)
    }

    /// `30s`, and never nothing.
    pub(in crate::config) fn positive_duration(&mut self, node: &Node) -> Option<Duration> {
        self.parsed(node, "a duration", |text| match quantity::duration(text)? {
            Duration::ZERO => Err("this cannot be zero".to_owned()),
            duration => Ok(duration),
        })
    }

    /// `64MiB`, at least `min` bytes.
    pub(in crate::config) fn bytes(&mut self, node: &Node, min: u64) -> Option<u64> {
        self.parsed(node, "a size", |text| {
            let bytes = quantity::bytes(text)?;
            if bytes < min {
                return Err(format!(
                    "`{text}` is too small: at least {min} bytes are needed"
                ));
            }
            Ok(bytes)
        })
    }

    /// A whole number within limits.
    pub(in crate::config) fn count(
        &mut self,
        node: &Node,
        limits: RangeInclusive<u32>,
    ) -> Option<u32> {
        let (min, max) = limits.into_inner();
        if let (Data::Text(_), Provenance::Written) = (&node.data, node.provenance) {
            return self.wrong_type(node, "a whole number");
        }
        self.parsed(node, "a whole number", |text| match text.parse::<u32>() {
            Ok(count) if min <= count && count <= max => Ok(count),
            _ => Err(format!(
                "a whole number from {min} to {max} is expected here"
            )),
        })
    }

    /// `true` or `false`.
    pub(in crate::config) fn flag(&mut self, node: &Node) -> Option<bool> {
        if let (Data::Text(_) | Data::Number(_), Provenance::Written) =
            (&node.data, node.provenance)
        {
            return self.wrong_type(node, "`true` or `false`");
        }
        self.parsed(node, "`true` or `false`", |text| {
            text.parse()
                .map_err(|_| format!("`{text}` is neither `true` nor `false`"))
        })
    }

    /// One of some words.
    pub(in crate::config) fn word<T: Copy>(
        &mut self,
        node: &Node,
        words: &[(&str, T)],
    ) -> Option<T> {
        let names = || words.iter().map(|(word, _)| *word);
        let wanted = format!("one of {}", suggest::list(names()));
        let found = self.parsed(node, &wanted, |text| Ok(text.to_owned()))?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == found) {
            return Some(*value);
        }
        if node.provenance == Provenance::Environment {
            return self.wrong_environment(node, &wanted);
        }
        let message = format!("`{found}` is not {wanted}");
        let diagnostic = Diagnostic::error(Code::InvalidValue, node.span, message);
        self.diagnostics
            .push(match suggest::nearest(&found, names()) {
                Some(near) => diagnostic.fix(format!("did you mean `{near}`?"), node.span, near),
                None => diagnostic,
            });
        None
    }

    /// A file path, relative to the file it stands in.
    pub(in crate::config) fn path(&mut self, node: &Node) -> Option<PathBuf> {
        let text = self.text(node)?;
        if node.provenance == Provenance::Unset {
            return None;
        }
        if text.is_empty() {
            return self.refuse(Code::InvalidValue, node.span, "a path cannot be empty");
        }
        Some(self.resolve(node.span, &text))
    }

    /// An absolute http or https URL.
    pub(in crate::config) fn url(&mut self, node: &Node) -> Option<http::Uri> {
        self.text(node)?;
        self.parsed(node, "a URL", url)
    }

    /// A secret: where it is kept, or itself.
    pub(in crate::config) fn secret(&mut self, node: &Node) -> Option<SecretSource> {
        let text = self.excerpt(node, "a secret")?;
        if node.provenance != Provenance::Written {
            if text.text().starts_with("secret://") {
                let message = "the place of a secret cannot come from the environment";
                return self.refuse(Code::InterpolationNotAllowed, node.span, message);
            }
            return Some(SecretSource::Plain(text.text().to_owned()));
        }
        if let Some(place) = text.text().strip_prefix("secret://") {
            return self.secret_place(node, place);
        }
        let text = self.unescaped(node, &text)?;
        self.diagnostics.push(
            Diagnostic::warning(
                Code::PlainSecret,
                node.span,
                "the secret itself is written in the file",
            )
            .help("keep it outside: `secret://env/NAME` or `secret://file/absolute/path`"),
        );
        Some(SecretSource::Plain(text))
    }

    fn secret_place(&mut self, node: &Node, place: &str) -> Option<SecretSource> {
        match place.split_once('/') {
            Some(("env", name)) if is_variable_name(name) => {
                Some(SecretSource::Environment(name.to_owned()))
            }
            Some(("file", path)) if !path.is_empty() => {
                Some(SecretSource::File(PathBuf::from(format!("/{path}"))))
            }
            _ => {
                let message = "this says no place of a secret";
                self.diagnostics.push(
                    Diagnostic::error(Code::InvalidValue, node.span, message)
                        .help("write `secret://env/NAME` or `secret://file/absolute/path`"),
                );
                None
            }
        }
    }

    /// Whether a key can be a name; reports it if not.
    pub(in crate::config) fn is_name(&mut self, name: &str, span: Span) -> bool {
        let fits = name.chars().count() <= NAME_CHARS_MAX
            && name.starts_with(|char: char| char.is_ascii_alphanumeric())
            && name
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.'));
        if !fits {
            let message = format!("`{name}` cannot be a name");
            self.diagnostics.push(
                Diagnostic::error(Code::InvalidValue, span, message).help(format!(
                    "a name has up to {NAME_CHARS_MAX} letters, digits, `_`, `-` and `.`, and starts with a letter or digit"
                )),
            );
        }
        fits
    }
}

impl Cx<'_> {
    /// Whether a key can be a name in expressions; reports it if not.
    pub(in crate::config) fn is_identifier(&mut self, name: &str, span: Span) -> bool {
        let fits = is_variable_name(name) && !name.chars().any(|char| char.is_ascii_uppercase());
        if !fits {
            let message = format!("`{name}` cannot be a name in expressions");
            self.diagnostics
                .push(Diagnostic::error(Code::InvalidValue, span, message).help(
                "such a name has small letters, digits and `_`, and does not start with a digit",
            ));
        }
        fits
    }
}

/// Whether `name` can be the name of an environment variable.
pub(in crate::config) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
        && name
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '_')
}

/// Reads an absolute http or https URL.
pub(in crate::config) fn url(text: &str) -> Result<http::Uri, String> {
    let uri = text.parse::<http::Uri>().ok();
    uri.filter(|uri| {
        let host = uri.host().unwrap_or("");
        matches!(uri.scheme_str(), Some("http" | "https")) && !host.is_empty()
    })
    .ok_or_else(|| format!("`{text}` is no URL: write `https://host` and, if wanted, a path"))
}
