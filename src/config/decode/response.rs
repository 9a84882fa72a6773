//! `responses` of a lane: what the answers of a destination mean.

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::decode::translation::list;
use crate::config::quantity;
use crate::config::settings::Meaning;
use crate::config::settings::ResponseRule;
use crate::config::settings::Rest;
use crate::config::settings::RetryAfter;
use crate::config::vocabulary;
use crate::config::yaml::Data;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::expr::Vocabulary;

pub(super) fn rules(node: &Node, vocabulary: &Vocabulary, cx: &mut Cx<'_>) -> Vec<ResponseRule> {
    list(node, "a list of what answers mean", cx)
        .iter()
        .filter_map(|node| rule(node, vocabulary, cx))
        .collect()
}

fn rule(node: &Node, vocabulary: &Vocabulary, cx: &mut Cx<'_>) -> Option<ResponseRule> {
    let mut fields = Fields::open(node, node.head(), "a response rule", cx)?;
    let statuses = fields
        .require("status", cx)
        .and_then(|node| statuses(node, cx));
    let when = cx.when(&mut fields, vocabulary);
    let keys = ["delivered", "reject", "retry", "split", "pause"];
    let meaning = match fields.one_of(&keys, cx) {
        Some(("delivered", node)) => cx.word(node, &[("all", ())]).map(|()| Meaning::Delivered),
        Some(("reject", node)) => reject(node, vocabulary, cx),
        Some(("retry", node)) => retry(node, cx).map(Meaning::Retry),
        Some(("split", node)) => only_true(node, cx).map(|()| Meaning::Split),
        Some((_, node)) => only_true(node, cx).map(|()| Meaning::Pause),
        None => None,
    };
    fields.close(cx);
    Some(ResponseRule {
        statuses: statuses?,
        when,
        meaning: meaning?,
    })
}

/// `404`, `5xx`, or a list of such.
fn statuses(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<(u16, u16)>> {
    match &node.data {
        Data::List(items) => {
            let ranges: Vec<_> = items
                .iter()
                .map(|item| cx.parsed(item, "a status", quantity::statuses))
                .collect();
            ranges.into_iter().collect()
        }
        _ => cx
            .parsed(node, "a status", quantity::statuses)
            .map(|range| vec![range]),
    }
}

fn only_true(node: &Node, cx: &mut Cx<'_>) -> Option<()> {
    if cx.flag(node)? {
        return Some(());
    }
    cx.refuse(
        Code::InvalidDefinition,
        node.span,
        "this is `true` or not there",
    )
}

/// `all`, `{reason: …}` for all, or `{each, index, reason, rest}` for those the body lists.
fn reject(node: &Node, vocabulary: &Vocabulary, cx: &mut Cx<'_>) -> Option<Meaning> {
    const REST: [(&str, Rest); 2] = [("delivered", Rest::Delivered), ("retry", Rest::Retry)];
    if !matches!(node.data, Data::Map(_)) {
        return cx
            .word(node, &[("all", ())])
            .map(|()| Meaning::Reject(None));
    }
    let mut fields = Fields::open(node, node.head(), "`reject`", cx)?;
    let Some(each) = fields.take("each") else {
        let reason = fields.require("reason", cx);
        fields.close(cx);
        return cx
            .template(reason?, vocabulary)
            .map(|reason| Meaning::Reject(Some(reason)));
    };
    let each = cx.program(each, vocabulary);
    let inside = vocabulary::with_item(vocabulary.clone(), "the refusal");
    let index = fields
        .require("index", cx)
        .and_then(|node| cx.program(node, &inside));
    let reason = match fields.take("reason") {
        Some(node) => Some(cx.program(node, &inside)?),
        None => None,
    };
    let rest = match fields.take("rest") {
        Some(node) => cx.word(node, &REST),
        None => Some(Rest::Delivered),
    };
    fields.close(cx);
    Some(Meaning::RejectEach {
        each: each?,
        index: index?,
        reason,
        rest: rest?,
    })
}

/// `{after: header}`, or `{after: 30s}`.
fn retry(node: &Node, cx: &mut Cx<'_>) -> Option<RetryAfter> {
    let mut fields = Fields::open(node, node.head(), "`retry`", cx)?;
    let after = fields.require("after", cx);
    fields.close(cx);
    cx.parsed(after?, "`header` or a duration", |text| match text {
        "header" => Ok(RetryAfter::Header),
        _ => quantity::duration(text).map(RetryAfter::Fixed),
    })
}
