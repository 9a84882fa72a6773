//! `lanes` of a definition: what each speaks and how its items are gathered.

use std::time::Duration;

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::decode::response;
use crate::config::decode::setting::names_of;
use crate::config::settings::Auth;
use crate::config::settings::BatchSettings;
use crate::config::settings::BodyFormat;
use crate::config::settings::BodySettings;
use crate::config::settings::HttpSettings;
use crate::config::settings::LaneSettings;
use crate::config::settings::SettingSpec;
use crate::config::settings::Signature;
use crate::config::settings::SinkSettings;
use crate::config::vocabulary;
use crate::config::yaml::Entry;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::expr::Template;
use crate::expr::Vocabulary;

/// What a lane's parts are compiled with.
struct Names {
    settings: Vocabulary,
    wrap: Vocabulary,
    response: Vocabulary,
}

pub(super) fn lane(
    entry: &Entry,
    settings: &[SettingSpec],
    cx: &mut Cx<'_>,
) -> Option<LaneSettings> {
    cx.is_name(&entry.key, entry.key_span);
    let of_settings = names_of(settings);
    let names = Names {
        settings: vocabulary::settings(&cx.tables, &of_settings),
        wrap: vocabulary::wrap(&cx.tables, &of_settings),
        response: vocabulary::response(&cx.tables, &of_settings),
    };
    let mut fields = Fields::open(&entry.value, entry.key_span, "a lane", cx)?;
    let batch = batch(&mut fields, cx);
    let sink = match fields.one_of(&["request", "file", "stdout"], cx) {
        Some(("file", node)) => cx.template(node, &names.settings).map(SinkSettings::File),
        Some(("stdout", node)) => match cx.flag(node) {
            Some(true) => Some(SinkSettings::Stdout),
            Some(false) => cx.refuse(
                Code::InvalidDefinition,
                node.span,
                "`stdout` is `true` or not there",
            ),
            None => None,
        },
        Some((_, node)) => {
            let http = http(node, &mut fields, &names, cx);
            http.map(|http| SinkSettings::Http(Box::new(http)))
        }
        None => return None,
    };
    fields.close(cx);
    Some(LaneSettings {
        name: entry.key.clone(),
        sink: sink?,
        batch,
    })
}

/// One item at a time, of any size up to 1 MiB, unless the lane says more.
fn batch(fields: &mut Fields<'_>, cx: &mut Cx<'_>) -> BatchSettings {
    let defaults = BatchSettings {
        items: 1,
        bytes: 1 << 20,
        wait: Duration::ZERO,
    };
    let Some(node) = fields.take("batch") else {
        return defaults;
    };
    let Some(mut fields) = Fields::open(node, node.head(), "`batch`", cx) else {
        return defaults;
    };
    let limits = cx.batch_limits(&mut fields);
    fields.close(cx);
    BatchSettings {
        items: limits.items.unwrap_or(defaults.items),
        bytes: limits.bytes.unwrap_or(defaults.bytes),
        wait: limits.wait.unwrap_or(defaults.wait),
    }
}

fn http(
    request: &Node,
    fields: &mut Fields<'_>,
    names: &Names,
    cx: &mut Cx<'_>,
) -> Option<HttpSettings> {
    let request_span = request.span;
    let request = cx.template(request, &names.settings);
    let auth = match fields.take("auth") {
        Some(node) => auth(node, names, cx),
        None => Some(Auth::None),
    };
    let headers = match fields.take("headers") {
        Some(node) => cx.object_template(node, &names.settings),
        None => Some(Template::Object(Vec::new())),
    };
    let body = match fields.take("body") {
        Some(node) => body(node, names, cx),
        None => Some(BodySettings {
            format: BodyFormat::Json,
            wrap: None,
        }),
    };
    let gzip = fields
        .take("gzip")
        .and_then(|node| cx.flag(node))
        .unwrap_or(false);
    let signature = match fields.take("sign") {
        Some(node) => Some(signature(node, names, cx)?),
        None => None,
    };
    let responses = fields
        .take("responses")
        .map_or_else(Vec::new, |node| response::rules(node, &names.response, cx));
    Some(HttpSettings {
        request: request?,
        request_span,
        auth: auth?,
        headers: headers?,
        body: body?,
        gzip,
        signature,
        responses,
    })
}

fn auth(node: &Node, names: &Names, cx: &mut Cx<'_>) -> Option<Auth> {
    let mut fields = Fields::open(node, node.head(), "`auth`", cx)?;
    let found = fields.one_of(&["basic", "bearer"], cx);
    fields.close(cx);
    match found? {
        ("bearer", node) => cx.template(node, &names.settings).map(Auth::Bearer),
        (_, node) => {
            let mut fields = Fields::open(node, node.head(), "`basic`", cx)?;
            let user = fields
                .require("user", cx)
                .map(|node| cx.template(node, &names.settings));
            let password = match fields.take("password") {
                Some(node) => Some(cx.template(node, &names.settings)?),
                None => None,
            };
            fields.close(cx);
            Some(Auth::Basic {
                user: user??,
                password,
            })
        }
    }
}

fn body(node: &Node, names: &Names, cx: &mut Cx<'_>) -> Option<BodySettings> {
    const FORMATS: [(&str, BodyFormat); 3] = [
        ("json", BodyFormat::Json),
        ("ndjson", BodyFormat::Ndjson),
        ("form", BodyFormat::Form),
    ];
    let mut fields = Fields::open(node, node.head(), "`body`", cx)?;
    let format = match fields.take("format") {
        Some(node) => cx.word(node, &FORMATS),
        None => Some(BodyFormat::Json),
    };
    let wrap = match fields.take("wrap") {
        Some(node) => Some(cx.template(node, &names.wrap)?),
        None => None,
    };
    fields.close(cx);
    let format = format?;
    if wrap.is_some() && format == BodyFormat::Ndjson {
        let message = "lines cannot be wrapped: `wrap` goes with `json` and `form`";
        return cx.refuse(Code::InvalidDefinition, node.head(), message);
    }
    Some(BodySettings { format, wrap })
}

fn signature(node: &Node, names: &Names, cx: &mut Cx<'_>) -> Option<Signature> {
    let mut fields = Fields::open(node, node.head(), "`sign`", cx)?;
    let found = fields.require("standard_webhooks", cx);
    fields.close(cx);
    cx.template(found?, &names.settings)
        .map(Signature::StandardWebhooks)
}
