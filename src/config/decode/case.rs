//! `tests`, of routing.yaml and of definitions: what goes in, and what must come out.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::decode::behind_sigil;
use crate::config::decode::setting;
use crate::config::decode::translation::list;
use crate::config::settings::Case;
use crate::config::settings::CaseRequest;
use crate::config::settings::DefinitionCase;
use crate::config::settings::Expected;
use crate::config::settings::SettingSpec;
use crate::config::settings::SettingValue;
use crate::config::vocabulary;
use crate::config::yaml::Data;
use crate::config::yaml::Entry;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::event::Operation;
use crate::text::Span;

/// When a test's request is accepted unless it says otherwise: 2026-01-02T03:04:05.678Z.
const NOW: Timestamp = Timestamp::from_millis(1_767_323_045_678);

/// Whether objects may have members that a test does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matching {
    /// They may.
    Subset,
    /// They may not.
    Exact,
}

/// The tests of routing.yaml, in order.
pub(in crate::config) fn cases(nodes: &[Node], cx: &mut Cx<'_>) -> Vec<Case> {
    nodes.iter().filter_map(|node| case(node, cx)).collect()
}

fn case(node: &Node, cx: &mut Cx<'_>) -> Option<Case> {
    let mut fields = Fields::open(node, node.head(), "a test", cx)?;
    let name = fields.require("name", cx);
    let span = name.map_or_else(|| node.head(), |node| node.span);
    let name = name.and_then(|node| cx.text(node));
    let now = match fields.take("now") {
        Some(node) => cx.parsed(node, "a moment", moment),
        None => Some(NOW),
    };
    let matching = matching(&mut fields, cx);
    let request = fields
        .require("request", cx)
        .and_then(|node| request(node, cx));
    let expect = match fields.take("expect") {
        Some(node) => by_destination(node, matching, cx),
        None => Some(Vec::new()),
    };
    let events = fields
        .take("events")
        .map(|node| outcome(node, matching, cx));
    let refused = fields.take("refused").map(|node| cx.count(node, 400..=599));
    fields.close(cx);
    let events = match events {
        Some(events) => Some(events?),
        None => None,
    };
    let refused = match refused {
        Some(status) => u16::try_from(status?).ok(),
        None => None,
    };
    let expect = expect?;
    if expect.is_empty() && events.is_none() && refused.is_none() {
        let message = "a test needs `expect`, `events` or `refused`";
        return cx.refuse(Code::MissingKey, span, message);
    }
    Some(Case {
        name: name?,
        request: request?,
        now: now?,
        expect,
        events,
        refused,
        span,
    })
}

fn matching(fields: &mut Fields<'_>, cx: &mut Cx<'_>) -> Matching {
    match fields.take("exactly").and_then(|node| cx.flag(node)) {
        Some(true) => Matching::Exact,
        Some(false) | None => Matching::Subset,
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse::<jiff::Timestamp>()
        .map(|moment| Timestamp::from_millis(moment.as_millisecond()))
        .map_err(|_| format!("`{text}` is no moment: write `2026-01-02T03:04:05Z`"))
}

fn request(node: &Node, cx: &mut Cx<'_>) -> Option<CaseRequest> {
    let mut fields = Fields::open(node, node.head(), "a request", cx)?;
    let source = fields
        .require("source", cx)
        .and_then(|node| cx.source_name(node, Code::TestNamesNothing));
    let method = match fields.take("method") {
        Some(node) => cx.parsed(node, "a method", |text| {
            text.parse::<http::Method>()
                .map_err(|_| format!("`{text}` is no HTTP method"))
        }),
        None => Some(http::Method::POST),
    };
    let path = fields.require("path", cx).and_then(|node| {
        let path = cx.text(node)?;
        if path.starts_with('/') && !path.contains(char::is_whitespace) {
            return Some(path);
        }
        let message = "a path starts with `/` and is written as in a request line, without spaces";
        cx.refuse(Code::InvalidValue, node.span, message)
    });
    let content_type = fields.take("content_type").map(|node| cx.text(node));
    let content_type = match content_type {
        Some(content_type) => Some(content_type?),
        None => None,
    };
    let is_json = content_type
        .as_deref()
        .is_none_or(|kind| kind.contains("json"));
    let body = match (fields.entry("body"), fields.entry("body_json")) {
        (Some(body), Some(text)) => {
            let message = "`body` and `body_json` exclude each other";
            cx.diagnostics.push(
                Diagnostic::error(Code::InvalidValue, text.key_span, message)
                    .also(body.key_span, "the other one"),
            );
            None
        }
        (Some(body), None) => match body.value.text() {
            Some(_) if !is_json => cx.text(&body.value),
            _ => cx.json(&body.value),
        },
        (None, Some(text)) => cx.text(&text.value),
        (None, None) => Some(String::new()),
    };
    fields.close(cx);
    Some(CaseRequest {
        source: source?,
        method: method?,
        path: path?,
        content_type,
        body: body?.into_bytes(),
    })
}

fn by_destination(
    node: &Node,
    matching: Matching,
    cx: &mut Cx<'_>,
) -> Option<Vec<(Arc<str>, Span, Expected)>> {
    let expected = by_name(node, "destinations", matching, cx)?;
    let defined = cx.defined;
    let known = defined.destinations.iter().map(String::as_str);
    for (name, span, _) in &expected {
        cx.check_name(("destination", known.clone()), name, *span);
    }
    Some(
        expected
            .into_iter()
            .map(|(name, span, it)| (Arc::from(name), span, it))
            .collect(),
    )
}

fn by_name<'n>(
    node: &'n Node,
    of: &str,
    matching: Matching,
    cx: &mut Cx<'_>,
) -> Option<Vec<(&'n str, Span, Expected)>> {
    let Data::Map(entries) = &node.data else {
        return cx.wrong_type(node, &format!("a mapping of {of} to what they are sent"));
    };
    let one = |entry: &'n Entry, cx: &mut Cx<'_>| {
        Some((
            entry.key.as_str(),
            entry.key_span,
            outcome(&entry.value, matching, cx)?,
        ))
    };
    let expected: Vec<_> = entries.iter().map(|entry| one(entry, cx)).collect();
    expected.into_iter().collect()
}

/// A list of items, `nothing`, or `{error: TWnnnn}`.
fn outcome(node: &Node, matching: Matching, cx: &mut Cx<'_>) -> Option<Expected> {
    match &node.data {
        Data::Text(text) if text.text() == "nothing" => Some(Expected::Nothing(node.span)),
        Data::List(_) => expected(node, matching, cx),
        Data::Map(_) if node.get("error").is_some() => {
            let mut fields = Fields::open(node, node.head(), "an expected error", cx)?;
            let code = fields.take("error").and_then(|node| {
                cx.parsed(node, "a code", |text| {
                    Code::named(text)
                        .ok_or_else(|| format!("`{text}` is no code, such as `TW0602`"))
                })
            });
            fields.close(cx);
            Some(Expected::Error(code?, node.span))
        }
        _ => cx.wrong_type(node, "a list of items, `nothing` or `{error: TWnnnn}`"),
    }
}

fn expected(node: &Node, matching: Matching, cx: &mut Cx<'_>) -> Option<Expected> {
    match &node.data {
        Data::List(items) => {
            let items: Vec<_> = items
                .iter()
                .map(|item| expected(item, matching, cx))
                .collect();
            Some(Expected::List(
                items.into_iter().collect::<Option<_>>()?,
                node.span,
            ))
        }
        Data::Map(entries) => {
            let member = |entry: &Entry, cx: &mut Cx<'_>| {
                Some((entry.key.clone(), expected(&entry.value, matching, cx)?))
            };
            let members: Vec<_> = entries.iter().map(|entry| member(entry, cx)).collect();
            let members = members.into_iter().collect::<Option<_>>()?;
            let exactly = matching == Matching::Exact;
            Some(Expected::Object {
                members,
                exactly,
                span: node.head(),
            })
        }
        Data::Text(text) => match behind_sigil(text) {
            Some(source) if source.text().trim() == "missing" => Some(Expected::Missing(node.span)),
            Some(_) => {
                let vocabulary = vocabulary::expectation(&cx.tables);
                cx.program(node, &vocabulary).map(Expected::Holds)
            }
            None => cx.json(node).map(|json| Expected::Json(json, node.span)),
        },
        _ => cx.json(node).map(|json| Expected::Json(json, node.span)),
    }
}

/// The tests of a definition.
pub(super) fn definition_cases(
    node: &Node,
    settings: &[SettingSpec],
    lanes: &[&str],
    cx: &mut Cx<'_>,
) -> Vec<DefinitionCase> {
    list(node, "a list of tests", cx)
        .iter()
        .filter_map(|node| definition_case(node, settings, lanes, cx))
        .collect()
}

fn definition_case(
    node: &Node,
    settings: &[SettingSpec],
    lanes: &[&str],
    cx: &mut Cx<'_>,
) -> Option<DefinitionCase> {
    let mut fields = Fields::open(node, node.head(), "a test", cx)?;
    let name = fields.require("name", cx);
    let span = name.map_or_else(|| node.head(), |node| node.span);
    let name = name.and_then(|node| cx.text(node));
    let values = case_settings(fields.take("settings"), settings, span, cx);
    let operation = match fields.take("op") {
        Some(node) => cx.word(
            node,
            &Operation::ALL.map(|operation| (operation.name(), operation)),
        ),
        None => Some(Operation::PersonEvent),
    };
    let event = fields.require("event", cx).and_then(|node| cx.json(node));
    let matching = matching(&mut fields, cx);
    let found = fields.one_of(&["expect", "dropped", "rejected"], cx);
    fields.close(cx);
    let (expect, reason) = match found? {
        ("expect", node) => (by_lane(node, matching, lanes, cx)?, None),
        (_, node) => (Vec::new(), Some(cx.text(node)?)),
    };
    Some(DefinitionCase {
        name: name?,
        settings: values?,
        event: event?,
        operation: operation?,
        expect,
        reason,
        span,
    })
}

fn by_lane(
    node: &Node,
    matching: Matching,
    lanes: &[&str],
    cx: &mut Cx<'_>,
) -> Option<Vec<(String, Span, Expected)>> {
    let expected = by_name(node, "lanes", matching, cx)?;
    for (name, span, _) in &expected {
        cx.check_name(("lane", lanes.iter().copied()), name, *span);
    }
    Some(
        expected
            .into_iter()
            .map(|(name, span, it)| (name.to_owned(), span, it))
            .collect(),
    )
}

impl Cx<'_> {
    /// Reports a name that is none of those known.
    fn check_name<'k>(
        &mut self,
        (what, mut known): (&str, impl Iterator<Item = &'k str> + Clone),
        name: &str,
        span: Span,
    ) {
        let all = known.clone();
        if known.all(|known| known != name) {
            self.unknown_reference::<()>(span, (what, Code::TestNamesNothing), name, all);
        }
    }
}

/// Every setting a test runs with, defaults included; what a secret is does not matter.
fn case_settings(
    node: Option<&Node>,
    settings: &[SettingSpec],
    owner: Span,
    cx: &mut Cx<'_>,
) -> Option<BTreeMap<String, String>> {
    // Secrets in a test are made up: nothing to warn of.
    let mut found = crate::diagnostic::Diagnostics::default();
    let mut quiet = Cx {
        diagnostics: &mut found,
        tables: cx.tables.clone(),
        ..*cx
    };
    let values = setting::values(settings, node, owner, &mut quiet);
    found
        .iter()
        .filter(|found| found.code != Code::PlainSecret)
        .cloned()
        .for_each(|found| {
            cx.diagnostics.push(found);
        });
    let named = settings.iter().map(|spec| spec.name.clone()).zip(values?);
    let json = named.filter_map(|(name, value)| match value {
        SettingValue::Missing => None,
        SettingValue::Json(json) => Some((name, json)),
        SettingValue::Secret(_) => Some((name, "\"***\"".to_owned())),
    });
    Some(json.collect())
}
