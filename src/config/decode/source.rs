//! `sources`.

use std::sync::Arc;

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::decode::translation::list;
use crate::config::settings::CredentialSettings;
use crate::config::settings::ForwardSettings;
use crate::config::settings::SourceSettings;
use crate::config::yaml::Data;
use crate::config::yaml::Entry;
use crate::config::yaml::Node;
use crate::config::yaml::Provenance;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::text::Span;

/// The sources, in order. `default` is the one that may do without credentials.
pub(in crate::config) fn sources(
    entries: &[Entry],
    default: Option<&str>,
    cx: &mut Cx<'_>,
) -> Vec<SourceSettings> {
    let mut seen = Vec::new();
    let mut sources = Vec::with_capacity(entries.len());
    for entry in entries {
        let given = entry
            .value
            .get("credentials")
            .map(|entry| &entry.value.data);
        let has_none = match given {
            Some(Data::List(items)) => items.is_empty(),
            Some(Data::Null) | None => true,
            Some(_) => false,
        };
        if has_none && default != Some(entry.key.as_str()) {
            let message = format!("source `{}` has no credentials", entry.key);
            cx.diagnostics.push(
                Diagnostic::error(Code::MissingKey, entry.key_span, message)
                    .help("give it `credentials`, or make it the `default_source` of `server`"),
            );
        }
        sources.extend(source(entry, &mut seen, cx));
    }
    sources
}

fn source(
    entry: &Entry,
    seen: &mut Vec<(CredentialSettings, Span)>,
    cx: &mut Cx<'_>,
) -> Option<SourceSettings> {
    let named = cx.is_name(&entry.key, entry.key_span);
    let mut fields = Fields::open(&entry.value, entry.key_span, "a source", cx)?;
    let name = match fields.take("name") {
        Some(node) => cx.text(node),
        None => Some(entry.key.clone()),
    };
    let credentials = match fields.take("credentials") {
        Some(node) => credentials(node, seen, cx),
        None => Some(Vec::new()),
    };
    let forward = match fields.take("forward") {
        Some(node) => forward(node, cx).map(Some),
        None => Some(None),
    };
    fields.close(cx);
    Some(SourceSettings {
        id: named.then(|| Arc::from(entry.key.as_str()))?,
        name: name?,
        credentials: credentials?,
        forward: forward?,
        span: entry.key_span,
    })
}

fn credentials(
    node: &Node,
    seen: &mut Vec<(CredentialSettings, Span)>,
    cx: &mut Cx<'_>,
) -> Option<Vec<CredentialSettings>> {
    let items = list(node, "a list of credentials", cx);
    let mut credentials = Vec::with_capacity(items.len());
    for item in items {
        let mut fields = Fields::open(item, item.head(), "a credential", cx)?;
        let site_id = fields.require("site_id", cx);
        let api_key = fields.require("api_key", cx);
        fields.close(cx);
        let (Some(site), Some(key)) = (site_id, api_key) else {
            continue;
        };
        let (Some(site_id), Some(api_key)) = (site_id_of(site, cx), cx.secret(key)) else {
            continue;
        };
        let credential = CredentialSettings { site_id, api_key };
        let is_placeholder = [site, key]
            .iter()
            .any(|node| node.provenance == Provenance::Unset);
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == credential) {
            let message = "these credentials stand twice, so a call could be of either source";
            cx.diagnostics.push(
                Diagnostic::error(Code::DefinedTwice, item.head(), message)
                    .here("the second time")
                    .also(*first, "the first time"),
            );
        } else if !is_placeholder {
            seen.push((credential.clone(), item.head()));
        }
        credentials.push(credential);
    }
    Some(credentials)
}

/// The user name of Basic authentication, which ends at the first colon.
fn site_id_of(node: &Node, cx: &mut Cx<'_>) -> Option<Arc<str>> {
    let site_id = cx.text(node)?;
    if site_id.is_empty() || site_id.contains(':') {
        let message = "a site id is not empty and has no `:`";
        return cx.refuse(Code::InvalidValue, node.span, message);
    }
    Some(site_id.into())
}

/// `forward: https://…`, or a mapping with `url` and how it is delivered.
fn forward(node: &Node, cx: &mut Cx<'_>) -> Option<ForwardSettings> {
    let Data::Map(_) = &node.data else {
        return Some(ForwardSettings {
            url: host(node, cx)?,
            delivery: crate::config::settings::DeliverySettings::default(),
        });
    };
    let mut fields = Fields::open(node, node.head(), "`forward`", cx)?;
    let url = fields.require("url", cx).and_then(|node| host(node, cx));
    let delivery = cx.delivery(&mut fields);
    fields.close(cx);
    Some(ForwardSettings {
        url: url?,
        delivery,
    })
}

/// A URL without a path: the calls bring their own.
fn host(node: &Node, cx: &mut Cx<'_>) -> Option<http::Uri> {
    if node.provenance == Provenance::Unset {
        return Some(http::Uri::from_static("https://unset.invalid"));
    }
    let url = cx.url(node)?;
    if url
        .path_and_query()
        .is_some_and(|path| path.as_str() != "/")
    {
        let message =
            "a call is forwarded to the path it came to: only scheme and host belong here";
        return cx.refuse(Code::InvalidValue, node.span, message);
    }
    Some(url)
}
