//! `destinations`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::decode::setting;
use crate::config::settings::Definition;
use crate::config::settings::DestinationSettings;
use crate::config::yaml::Entry;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;

/// The destinations, in order; `definitions` holds what the type of each was found to be. One whose
/// type was not found is checked as far as that goes.
pub(in crate::config) fn destinations(
    entries: &[Entry],
    definitions: &BTreeMap<String, Arc<Definition>>,
    cx: &mut Cx<'_>,
) -> Vec<DestinationSettings> {
    entries
        .iter()
        .filter_map(|entry| destination(entry, definitions.get(&entry.key), entries, cx))
        .collect()
}

fn destination(
    entry: &Entry,
    definition: Option<&Arc<Definition>>,
    all: &[Entry],
    cx: &mut Cx<'_>,
) -> Option<DestinationSettings> {
    let named = cx.is_name(&entry.key, entry.key_span);
    let mut fields = Fields::open(&entry.value, entry.key_span, "a destination", cx)?;
    fields.require("type", cx);
    let settings = fields.take("settings");
    let delivery = cx.delivery(&mut fields);
    let renamed = fields
        .take("renamed_from")
        .zip(delivery.renamed_from.as_ref());
    if let Some((node, from)) = renamed
        && let Some(other) = all.iter().find(|other| *other.key == **from)
    {
        let message = format!("`{from}` is still here, so this is not what it was renamed to");
        cx.diagnostics.push(
            Diagnostic::error(Code::InvalidValue, node.span, message).also(other.key_span, "here"),
        );
    }
    let on_error = cx.on_error(&mut fields).unwrap_or_default();
    fields.close(cx);
    let definition = definition?;
    let values = setting::values(&definition.settings, settings, entry.key_span, cx);
    Some(DestinationSettings {
        id: named.then(|| Arc::from(entry.key.as_str()))?,
        definition: definition.clone(),
        values: values?,
        delivery,
        on_error,
        span: entry.key_span,
    })
}
