//! `${env:NAME}` in the text of `server`, `storage`, `sources` and `destinations`.
//!
//! Done after YAML was read, text by text: what a variable holds can never change the structure of
//! the file. Mappings and conditions cannot use it, so what they do never depends on a machine.

use std::collections::BTreeMap;

use crate::config::decode::is_variable_name;
use crate::config::yaml::Data;
use crate::config::yaml::Node;
use crate::config::yaml::Provenance;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::diagnostic::suggest;
use crate::text::Excerpt;
use crate::text::Span;

/// The environment a configuration is read in.
#[derive(Clone, Copy, Debug)]
pub struct Environment<'a> {
    /// The variables that are set.
    pub variables: &'a BTreeMap<String, String>,
    /// What it means that one is not.
    pub unset: Unset,
}

/// What a variable that is not set means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unset {
    /// An error: the gateway is to run with what is there.
    Error,
    /// A warning, and a placeholder stands in: the file is only checked, perhaps on another machine.
    Warning,
}

/// Puts the environment into every text below `node`.
pub(super) fn interpolate(
    node: &mut Node,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) {
    match &mut node.data {
        Data::List(items) => {
            for item in items {
                interpolate(item, environment, diagnostics);
            }
        }
        Data::Map(entries) => {
            for entry in entries {
                if entry.key.contains("${env:") {
                    diagnostics.push(not_here(
                        entry.key_span,
                        "a key cannot come from the environment",
                    ));
                }
                interpolate(&mut entry.value, environment, diagnostics);
            }
        }
        Data::Text(text) if text.text().contains("${") => {
            let mut filling = Filling {
                text,
                environment,
                diagnostics,
                out: String::new(),
                provenance: node.provenance,
            };
            filling.fill();
            let (out, provenance) = (filling.out, filling.provenance);
            node.provenance = provenance;
            node.data = Data::Text(Excerpt::whole(out, node.span));
        }
        _ => {}
    }
}

/// Reports every `${env:…}` below `node`, which is in a place that must not depend on a machine.
pub(super) fn forbid(node: &Node, diagnostics: &mut Diagnostics) {
    match &node.data {
        Data::List(items) => items.iter().for_each(|item| forbid(item, diagnostics)),
        Data::Map(entries) => entries
            .iter()
            .for_each(|entry| forbid(&entry.value, diagnostics)),
        Data::Text(text) => {
            if let Some(at) = text.text().find("${env:") {
                let message = "the environment cannot be used here";
                let rest = text.text().get(at..).unwrap_or("");
                let end = rest
                    .find('}')
                    .map_or_else(|| text.text().len(), |close| at + close + 1);
                diagnostics.push(not_here(text.span(at, end), message));
            }
        }
        _ => {}
    }
}

fn not_here(span: Span, message: &str) -> Diagnostic {
    Diagnostic::error(Code::InterpolationNotAllowed, span, message).help(
        "it can be used in values of `server`, `storage`, `sources` and `destinations`, so that rules do the same everywhere",
    )
}

/// One text while the environment is put in.
struct Filling<'a, 'd> {
    text: &'a Excerpt,
    environment: Environment<'a>,
    diagnostics: &'d mut Diagnostics,
    out: String,
    provenance: Provenance,
}

impl Filling<'_, '_> {
    fn fill(&mut self) {
        let text = self.text.text();
        let mut at = 0;
        while let Some(found) = text.get(at..).and_then(|rest| rest.find("${")) {
            let open = at + found;
            let before = text.get(at..open).unwrap_or("");
            if let Some(before) = before.strip_suffix('$') {
                self.out.push_str(before);
                self.out.push_str("${");
                at = open + 2;
                continue;
            }
            self.out.push_str(before);
            let Some(close) = text.get(open..).and_then(|rest| rest.find('}')) else {
                self.malformed(open, text.len(), "no `}` closes this");
                return;
            };
            at = open + close + 1;
            self.reference(open, at);
        }
        self.out.push_str(text.get(at..).unwrap_or(""));
    }

    /// The `${…}` from byte `open` to byte `end`.
    fn reference(&mut self, open: usize, end: usize) {
        let inner = self.text.text().get(open + 2..end - 1).unwrap_or("");
        let Some(inner) = inner.strip_prefix("env:") else {
            return self.malformed(open, end, "only `${env:NAME}` is known");
        };
        let (name, rest) = match inner.find(':') {
            Some(colon) => inner.split_at_checked(colon).unwrap_or((inner, "")),
            None => (inner, ""),
        };
        if !is_variable_name(name) {
            return self.malformed(open, end, "this is no name of a variable");
        }
        let span = self.text.span(open, end);
        let value = self.environment.variables.get(name);
        let filled = value.filter(|value| !value.is_empty());
        match (rest.get(..2), rest.get(2..).unwrap_or("")) {
            (None, _) if rest.is_empty() => self.put(name, value, None, span),
            (Some(":-"), default) => {
                let default = default.to_owned();
                self.put(name, Some(filled.unwrap_or(&default)), None, span);
            }
            (Some(":?"), message) => self.put(name, filled, Some(message), span),
            _ => self.malformed(
                open,
                end,
                "only `:-default` and `:?message` can follow the name",
            ),
        }
    }

    fn put(&mut self, name: &str, value: Option<&String>, message: Option<&str>, span: Span) {
        let Some(value) = value else {
            return self.unset(name, message, span);
        };
        if value.chars().any(char::is_control) {
            let message =
                format!("variable `{name}` holds a control character, perhaps a line break");
            self.diagnostics
                .push(Diagnostic::error(Code::InterpolatedType, span, message));
            self.provenance = Provenance::Unset;
        }
        self.out.push_str(value);
        if self.provenance == Provenance::Written {
            self.provenance = Provenance::Environment;
        }
    }

    fn unset(&mut self, name: &str, message: Option<&str>, span: Span) {
        self.provenance = Provenance::Unset;
        self.out.push_str("unset-");
        self.out
            .push_str(&name.to_ascii_lowercase().replace('_', "-"));
        let text = match message {
            Some(message) => format!("environment variable `{name}` is not set: {message}"),
            None => format!("environment variable `{name}` is not set"),
        };
        let diagnostic = match self.environment.unset {
            Unset::Error => Diagnostic::error(Code::VariableNotSet, span, text),
            Unset::Warning => Diagnostic::warning(Code::VariableNotSet, span, text)
                .here("checked with a placeholder"),
        };
        let names = self.environment.variables.keys().map(String::as_str);
        let near = match self.environment.unset {
            Unset::Error => suggest::nearest(name, names),
            Unset::Warning => None,
        };
        self.diagnostics.push(match near {
            Some(near) => diagnostic.help(format!("`{near}` is set")),
            None => diagnostic.help(format!(
                "set it, or give a default: `${{env:{name}:-default}}`"
            )),
        });
    }

    /// What else there might be to say about the value would be about the rest of it alone.
    fn malformed(&mut self, open: usize, end: usize, why: &str) {
        self.provenance = Provenance::Unset;
        let span = self.text.span(open, end);
        self.diagnostics.push(
            Diagnostic::error(Code::InterpolationSyntax, span, why)
                .help("write `$${` for a literal `${`"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::yaml;
    use crate::diagnostic::Severity;
    use crate::text::SourceFile;
    use crate::text::Sources;

    fn fill(text: &str, unset: Unset) -> (String, Provenance, Vec<(Code, Severity, String)>) {
        let mut sources = Sources::default();
        let id = sources.add(SourceFile::new("f", format!("k: {text}\n")));
        let mut diagnostics = Diagnostics::default();
        let file = sources.file(id).unwrap().clone();
        let mut node = yaml::parse(id, &file, &mut diagnostics).unwrap();
        let variables = [("HOST", "example.com"), ("EMPTY", ""), ("BAD", "a\nb")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()));
        let variables = BTreeMap::from(variables);
        interpolate(
            &mut node,
            Environment {
                variables: &variables,
                unset,
            },
            &mut diagnostics,
        );
        let value = &node.get("k").unwrap().value;
        let found = diagnostics.sorted().into_iter().map(|found| {
            (
                found.code,
                found.severity,
                sources.text(found.span().unwrap()).to_owned(),
            )
        });
        (
            value.text().unwrap().text().to_owned(),
            value.provenance,
            found.collect(),
        )
    }

    #[test]
    fn every_form_is_filled_in() {
        for (text, filled) in [
            ("https://${env:HOST}/x", "https://example.com/x"),
            ("${env:NONE:-eu}", "eu"),
            ("${env:EMPTY:-eu}", "eu"),
            ("'${env:EMPTY}'", ""),
            ("${env:NONE:-}${env:HOST:?needed}", "example.com"),
        ] {
            let (out, provenance, found) = fill(text, Unset::Error);
            assert_eq!(
                (out.as_str(), provenance),
                (filled, Provenance::Environment),
                "{text}"
            );
            assert!(found.is_empty(), "{found:?}");
        }
    }

    #[test]
    fn a_doubled_dollar_is_literal() {
        let (out, provenance, found) = fill("a$${env:HOST}b$c", Unset::Error);
        assert_eq!(
            (out.as_str(), provenance),
            ("a${env:HOST}b$c", Provenance::Written)
        );
        assert!(found.is_empty());
    }

    #[test]
    fn unset_is_an_error_or_a_placeholder_at_its_exact_place() {
        let place = "${env:NO_HOST}".to_owned();
        let (_, _, found) = fill("\"\\u00e9 ${env:NO_HOST}\"", Unset::Error);
        assert_eq!(
            found,
            [(Code::VariableNotSet, Severity::Error, place.clone())]
        );
        let (out, provenance, found) = fill("http://${env:NO_HOST}", Unset::Warning);
        assert_eq!(
            (out.as_str(), provenance),
            ("http://unset-no-host", Provenance::Unset)
        );
        assert_eq!(found, [(Code::VariableNotSet, Severity::Warning, place)]);
        let (_, _, found) = fill("${env:EMPTY:?say why}", Unset::Error);
        assert_eq!(found[0].0, Code::VariableNotSet);
    }

    #[test]
    fn anything_else_in_braces_is_an_error() {
        for text in [
            "${HOST}",
            "${env:}",
            "${env:A B}",
            "'${env:HOST'",
            "${env:HOST:x}",
            "${file:/x}",
        ] {
            let (_, _, found) = fill(text, Unset::Error);
            assert_eq!(
                found.first().map(|found| found.0),
                Some(Code::InterpolationSyntax),
                "{text}"
            );
        }
        let (_, _, found) = fill("${env:BAD}", Unset::Error);
        assert_eq!(found[0].0, Code::InterpolatedType);
    }
}
