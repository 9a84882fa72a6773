//! What a test expects against what was found, difference by difference.

use crate::config::settings::Expected;
use crate::expr::Program;
use crate::expr::Scope;
use crate::expr::scope::Budget;
use crate::text::Span;
use crate::value::Arena;
use crate::value::Kind;
use crate::value::ParseLimits;
use crate::value::Value;
use crate::value::order::equal;
use crate::value::parse;
use crate::value::write;

/// One place at which a value is not what a test expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where in the value, as a JSONPath.
    pub path: String,
    /// What is expected there, for people.
    pub expected: String,
    /// What is there, JSON in one line, or `missing`.
    pub found: String,
    /// Where the expectation stands.
    pub span: Span,
}

/// Compares: objects must have at least the members expected unless `exactly` was asked for, lists
/// must have just the items expected, in order.
pub fn differences(expected: &Expected, found: Value<'_>, arena: &Arena) -> Vec<Difference> {
    let mut comparison = Comparison {
        arena,
        path: "$".to_owned(),
        found: Vec::new(),
    };
    comparison.compare(expected, found);
    comparison.found
}

struct Comparison<'a> {
    arena: &'a Arena,
    path: String,
    found: Vec<Difference>,
}

impl<'a> Comparison<'a> {
    fn compare(&mut self, expected: &Expected, found: Value<'a>) {
        match expected {
            Expected::Json(json, span) => {
                let text = self.arena.text(json).as_bytes();
                match parse(text, ParseLimits::default(), self.arena) {
                    Ok(wanted) => self.json(wanted, found, *span),
                    Err(error) => self.differ(*span, error.to_string(), found),
                }
            }
            Expected::Object {
                members,
                exactly,
                span,
            } => {
                if found.kind() != Kind::Object {
                    return self.differ(*span, "an object".to_owned(), found);
                }
                for (key, member) in members {
                    self.at(&format!(".{key}"), |this| {
                        this.compare(member, found.get(key));
                    });
                }
                if *exactly {
                    let known = |key: &str| members.iter().any(|(name, _)| name == key);
                    self.unexpected(found, known, *span);
                }
            }
            Expected::List(items, span) => {
                self.list(items.len(), found, *span, |this, n, item| {
                    if let Some(expected) = items.get(n) {
                        this.compare(expected, item);
                    }
                });
            }
            Expected::Holds(program) => self.holds(program, found),
            Expected::Missing(span) if !found.is_missing() => {
                self.differ(*span, "missing".to_owned(), found);
            }
            Expected::Nothing(span) if !found.is_empty() => {
                self.differ(*span, "nothing".to_owned(), found);
            }
            Expected::Error(code, span) => self.differ(*span, format!("error {code}"), found),
            Expected::Missing(_) | Expected::Nothing(_) => {}
        }
    }

    fn json(&mut self, wanted: Value<'a>, found: Value<'a>, span: Span) {
        match (wanted.kind(), found.kind()) {
            (Kind::Object, Kind::Object) => {
                for (key, wanted) in wanted.entries(self.arena) {
                    self.at(&format!(".{key}"), |this| {
                        this.json(wanted, found.get(key), span);
                    });
                }
            }
            (Kind::List, Kind::List) => {
                self.list(wanted.len(), found, span, |this, n, item| {
                    let n = i64::try_from(n).unwrap_or(i64::MAX);
                    this.json(wanted.at(n), item, span);
                });
            }
            _ if equal(wanted, found) => {}
            _ => self.differ(span, text(wanted), found),
        }
    }

    fn list(
        &mut self,
        wanted: usize,
        found: Value<'a>,
        span: Span,
        mut compare: impl FnMut(&mut Self, usize, Value<'a>),
    ) {
        if found.kind() != Kind::List {
            return self.differ(span, format!("a list of {wanted}"), found);
        }
        if wanted != found.len() {
            self.differ(span, format!("a list of {wanted}"), found);
        }
        for (n, item) in found.items().enumerate().take(wanted) {
            self.at(&format!("[{n}]"), |this| compare(this, n, item));
        }
    }

    fn unexpected(&mut self, found: Value<'a>, known: impl Fn(&str) -> bool, span: Span) {
        for (key, value) in found.entries(self.arena) {
            if !known(key) {
                self.at(&format!(".{key}"), |this| {
                    this.differ(span, "missing".to_owned(), value);
                });
            }
        }
    }

    fn holds(&mut self, program: &Program, found: Value<'a>) {
        let budget = Budget::new(0);
        let scope = Scope {
            root: Value::Missing,
            item: found,
            index: Value::Missing,
            variables: &[],
            arena: self.arena,
            budget: &budget,
        };
        let source = program.source();
        let expected = format!("={}", source.text());
        match program.eval(&scope) {
            // An expression that is no condition gives the value itself.
            Ok(value) if value.as_bool() == Some(true) || equal(value, found) => {}
            Ok(_) => self.differ(source.whole_span(), expected, found),
            Err(error) => {
                self.differ(source.whole_span(), format!("{expected} ({error})"), found);
            }
        }
    }

    fn at(&mut self, step: &str, then: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(step);
        then(self);
        self.path.truncate(length);
    }

    fn differ(&mut self, span: Span, expected: String, found: Value<'_>) {
        let path = self.path.clone();
        self.found.push(Difference {
            path,
            expected,
            found: text(found),
            span,
        });
    }
}

/// A value for people: JSON in one line, or `missing`.
pub fn text(value: Value<'_>) -> String {
    if value.is_missing() {
        return "missing".to_owned();
    }
    let mut json = Vec::new();
    write(value, &mut json);
    String::from_utf8_lossy(&json).into_owned()
}
