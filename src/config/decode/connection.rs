//! `connections`.

use std::sync::Arc;

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::settings::ConnectionAction;
use crate::config::settings::ConnectionSettings;
use crate::config::vocabulary;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;

/// The connections, in order.
pub(in crate::config) fn connections(nodes: &[Node], cx: &mut Cx<'_>) -> Vec<ConnectionSettings> {
    nodes
        .iter()
        .filter_map(|node| connection(node, cx))
        .collect()
}

fn connection(node: &Node, cx: &mut Cx<'_>) -> Option<ConnectionSettings> {
    let span = node.head();
    let mut fields = Fields::open(node, span, "a connection", cx)?;
    let name = fields.take("name").map(|node| cx.text(node));
    let from = fields
        .require("from", cx)
        .and_then(|node| cx.source_names(node));
    let to = fields
        .require("to", cx)
        .and_then(|node| cx.destination_names(node));
    let vocabulary = vocabulary::connection(&cx.tables);
    let when = cx.when(&mut fields, &vocabulary);
    let action = match (fields.entry("drop"), fields.entry("map")) {
        (Some(drop), Some(map)) => {
            let message = "`drop` and `map` exclude each other";
            cx.diagnostics.push(
                Diagnostic::error(Code::InvalidValue, map.key_span, message)
                    .also(drop.key_span, "the other one"),
            );
            None
        }
        (Some(drop), None) => cx.reason(&drop.value).map(ConnectionAction::Drop),
        (None, Some(map)) => cx
            .object_template(&map.value, &vocabulary)
            .map(ConnectionAction::Map),
        (None, None) => Some(ConnectionAction::Pass),
    };
    let on_error = cx.on_error(&mut fields);
    fields.close(cx);
    let (from, to) = (from?.names(), to?.names());
    let name = match name {
        Some(name) => Arc::from(name?),
        None => Arc::from(format!(
            "{} to {}",
            shown(from.as_deref()),
            shown(to.as_deref())
        )),
    };
    Some(ConnectionSettings {
        name,
        from,
        to,
        when,
        action: action?,
        on_error,
        span,
    })
}

fn shown(names: Option<&[Arc<str>]>) -> String {
    names.map_or_else(|| "*".to_owned(), |names| names.join(", "))
}

impl Cx<'_> {
    /// Why something is dropped or rejected: part of metrics, so it is short and says something.
    pub(super) fn reason(&mut self, node: &Node) -> Option<Arc<str>> {
        const CHARS_MAX: usize = 120;
        let text = self.text(node)?;
        if text.trim().is_empty() || CHARS_MAX < text.chars().count() {
            let message = format!("a reason has 1 to {CHARS_MAX} characters");
            return self.refuse(Code::InvalidValue, node.span, message);
        }
        Some(text.into())
    }
}
