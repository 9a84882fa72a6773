//! The two readings of a document made one.

use std::collections::BTreeMap;

use granit_parser::ScalarStyle;

use crate::config::yaml::Data;
use crate::config::yaml::Entry;
use crate::config::yaml::Node;
use crate::config::yaml::cut;
use crate::config::yaml::events::Notation;
use crate::config::yaml::events::Raw;
use crate::config::yaml::events::RawKind;
use crate::config::yaml::events::RawScalar;
use crate::config::yaml::excerpt::excerpt;
use crate::config::yaml::typed::Typed;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::text::Excerpt;
use crate::text::FileId;
use crate::text::Span;
use crate::value;

/// Puts the values of `typed` at the places of `raw`; `None` where the two disagree.
pub(super) fn join(
    file: FileId,
    source: &str,
    raw: &Raw,
    typed: &Typed,
    diagnostics: &mut Diagnostics,
) -> Option<Node> {
    let mut join = Join {
        file,
        source,
        diagnostics,
        anchors: BTreeMap::new(),
        done: 0,
    };
    join.node(raw, typed, Notation::Block)
}

struct Join<'a> {
    file: FileId,
    source: &'a str,
    diagnostics: &'a mut Diagnostics,
    anchors: BTreeMap<usize, Node>,
    // Where the last expression that YAML had cut ends: what starts before is debris of it.
    done: u32,
}

/// The two readers see different text; it is reported.
struct Ambiguous;

impl Join<'_> {
    fn span(&self, raw: &Raw) -> Span {
        Span::new(self.file, raw.start, raw.end)
    }

    /// Depth is bounded by the limits the events were read with.
    fn node(&mut self, raw: &Raw, typed: &Typed, around: Notation) -> Option<Node> {
        let span = self.span(raw);
        let data = match (&raw.kind, typed) {
            (RawKind::Alias(target), _) => return self.anchors.get(target).cloned(),
            (RawKind::Scalar(scalar), typed) => self.scalar(raw, scalar, typed, around)?,
            (RawKind::List(items, notation), Typed::List(values))
                if items.len() == values.len() =>
            {
                let mut list = Vec::with_capacity(items.len());
                for (item, value) in items.iter().zip(values) {
                    if self.done <= item.start {
                        list.push(self.node(item, value, *notation)?);
                    }
                }
                Data::List(list)
            }
            (RawKind::Map(pairs, notation), Typed::Map(values)) if pairs.len() == values.len() => {
                self.map(pairs, values, *notation)?
            }
            _ => return self.disagree(span),
        };
        let node = Node::new(span, data);
        if raw.anchor != 0 {
            self.anchors.insert(raw.anchor, node.clone());
        }
        Some(node)
    }

    fn map(
        &mut self,
        pairs: &[(Raw, Raw)],
        values: &[(Typed, Typed)],
        notation: Notation,
    ) -> Option<Data> {
        let mut entries: Vec<Entry> = Vec::with_capacity(pairs.len());
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        let mut merged = Vec::new();
        for ((raw_key, raw_value), (typed_key, typed_value)) in pairs.iter().zip(values) {
            if raw_key.start < self.done {
                continue;
            }
            let key_span = self.span(raw_key);
            let Some(key) = self.key(raw_key, typed_key).ok()? else {
                continue;
            };
            let value = self.node(raw_value, typed_value, notation)?;
            if key == "<<" {
                self.diagnostics.push(
                    Diagnostic::error(Code::MergeKey, key_span, "merge keys are not supported")
                        .help("write the keys out, or share a whole value with an alias"),
                );
                merged.push(value);
                continue;
            }
            if let Some(first) = seen.get(&key) {
                let message = format!("key `{key}` stands twice in one mapping");
                self.diagnostics.push(
                    Diagnostic::error(Code::DuplicateKey, key_span, message)
                        .here("the second time")
                        .also(*first, "the first time"),
                );
                continue;
            }
            seen.insert(key.clone(), key_span);
            entries.push(Entry {
                key,
                key_span,
                value,
            });
        }
        // What was meant, so that nothing is missed for the lack of it.
        for entry in merged.into_iter().flat_map(Node::into_entries) {
            if !seen.contains_key(&entry.key) {
                seen.insert(entry.key.clone(), entry.key_span);
                entries.push(entry);
            }
        }
        Some(Data::Map(entries))
    }

    /// The text of a key; `None` for one that is no scalar, which is reported.
    fn key(&mut self, raw: &Raw, typed: &Typed) -> Result<Option<String>, Ambiguous> {
        let span = self.span(raw);
        let key = match (&raw.kind, typed) {
            (RawKind::Scalar(scalar), Typed::Text(text)) if *text != scalar.text => {
                self.disagree::<()>(span);
                return Err(Ambiguous);
            }
            (RawKind::Scalar(scalar), _) => Some(scalar.text.clone()),
            (RawKind::Alias(target), _) => {
                let text = self.anchors.get(target).and_then(Node::text);
                text.map(|text| text.text().to_owned())
            }
            _ => None,
        };
        if key.is_none() {
            let message = "a key must be text or a number";
            self.diagnostics
                .push(Diagnostic::error(Code::WrongType, span, message));
        }
        if let (Some(key), true) = (&key, raw.anchor != 0) {
            let text = Excerpt::whole(key.as_str(), span);
            self.anchors
                .insert(raw.anchor, Node::new(span, Data::Text(text)));
        }
        Ok(key)
    }

    fn scalar(
        &mut self,
        raw: &Raw,
        scalar: &RawScalar,
        typed: &Typed,
        around: Notation,
    ) -> Option<Data> {
        let is_plain = scalar.style == ScalarStyle::Plain;
        match typed {
            Typed::Text(text) if *text == scalar.text => {
                let range = raw.start as usize..raw.end as usize;
                let whole = if is_plain {
                    cut::intended(self.source, range.clone(), around)
                } else {
                    None
                };
                if let Some(whole) = whole {
                    let report = cut::report(self.file, self.source, whole.clone(), range.end);
                    self.diagnostics.push(report);
                    self.done = u32::try_from(whole.end).unwrap_or(u32::MAX);
                    let text = self.source.get(whole).unwrap_or("");
                    return Some(Data::Text(Excerpt::contiguous(text, self.file, raw.start)));
                }
                Some(Data::Text(excerpt(self.file, self.source, raw, scalar)))
            }
            Typed::Null if is_plain => Some(Data::Null),
            Typed::Bool(truth) if is_plain => Some(Data::Bool(*truth)),
            Typed::Number(printed) if is_plain => Some(self.number(raw, &scalar.text, printed)),
            _ => self.disagree(self.span(raw)),
        }
    }

    /// A number as written if JSON knows the notation, else as `serde_yaml` understood it.
    fn number(&mut self, raw: &Raw, written: &str, printed: &str) -> Data {
        if let Some(text) = [written, printed]
            .into_iter()
            .find(|text| is_json_number(text))
        {
            return Data::Number(text.to_owned());
        }
        let span = self.span(raw);
        let message = format!("`{written}` is a number that JSON cannot hold");
        self.diagnostics
            .push(Diagnostic::error(Code::InvalidValue, span, message).fix(
                "put it in quotes if text is meant",
                span,
                format!("\"{written}\""),
            ));
        Data::Null
    }

    fn disagree<T>(&mut self, span: Span) -> Option<T> {
        let message = "this can be read in two ways, and YAML readers disagree about it";
        self.diagnostics.push(
            Diagnostic::error(Code::AmbiguousYaml, span, message)
                .help("write it in double quotes, with special characters escaped"),
        );
        None
    }
}

fn is_json_number(text: &str) -> bool {
    let starts_like_one = text.starts_with(|char: char| char == '-' || char.is_ascii_digit());
    let arena = value::Arena::new();
    starts_like_one
        && value::parse(text.as_bytes(), value::ParseLimits::default(), &arena).is_ok()
        && !text.ends_with(char::is_whitespace)
}
