//! `server`, `storage` and `reload`.

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::settings::OnFull;
use crate::config::settings::ReloadSettings;
use crate::config::settings::ServerSettings;
use crate::config::settings::StorageSettings;
use crate::config::settings::TestPolicy;
use crate::config::settings::TlsSettings;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;

/// Smallest segment: less makes a file for every few requests.
const SEGMENT_BYTES_MIN: u64 = 64 << 10;

/// `server`.
pub(in crate::config) fn server(mut fields: Fields<'_>, cx: &mut Cx<'_>) -> ServerSettings {
    let mut settings = ServerSettings::default();
    let mut address = |node: &Node| {
        cx.parsed(node, "an address", |text| {
            text.parse().map_err(|_| format!("`{text}` is no address: write `127.0.0.1:8080`, or `0.0.0.0:8080` for every interface"))
        })
    };
    set(
        &mut settings.listen,
        fields.take("listen").and_then(&mut address),
    );
    set(
        &mut settings.admin,
        fields.take("admin").and_then(&mut address),
    );
    if let Some(node) = fields.take("public_url") {
        settings.public_url = cx
            .url(node)
            .map(|url| url.to_string().trim_end_matches('/').to_owned());
    }
    if let Some(node) = fields.take("default_source") {
        settings.default_source = cx.source_name(node, Code::UnknownReference);
    }
    if let Some(node) = fields.take("tls") {
        settings.tls = tls(node, cx);
    }
    if let Some(node) = fields.take("max_body_bytes") {
        set(&mut settings.body_bytes_max, cx.bytes(node, 1 << 10));
    }
    if let Some(node) = fields.take("max_in_flight_bytes") {
        set(&mut settings.in_flight_bytes_max, cx.bytes(node, 1 << 20));
    }
    if let Some(node) = fields.take("max_connections") {
        set(&mut settings.connections_max, cx.count(node, 1..=1_000_000));
    }
    for (key, duration) in [
        ("header_timeout", &mut settings.header_timeout),
        ("body_timeout", &mut settings.body_timeout),
        ("grace", &mut settings.grace),
    ] {
        if let Some(node) = fields.take(key) {
            set(duration, cx.positive_duration(node));
        }
    }
    if settings.in_flight_bytes_max < settings.body_bytes_max {
        let message = "`max_in_flight_bytes` is less than one body of `max_body_bytes`";
        cx.diagnostics.push(
            Diagnostic::error(Code::InvalidValue, fields.owner(), message)
                .help("requests of the largest size could never be taken"),
        );
    }
    fields.close(cx);
    settings
}

fn tls(node: &Node, cx: &mut Cx<'_>) -> Option<TlsSettings> {
    let mut fields = Fields::open(node, node.head(), "`tls`", cx)?;
    let certificate = fields
        .require("certificate", cx)
        .and_then(|node| cx.path(node));
    let key = fields.require("key", cx).and_then(|node| cx.path(node));
    fields.close(cx);
    Some(TlsSettings {
        certificate: certificate?,
        key: key?,
    })
}

/// `storage`. The directory without a word about it is beside the main file.
pub(in crate::config) fn storage(mut fields: Fields<'_>, cx: &mut Cx<'_>) -> StorageSettings {
    const ON_FULL: [(&str, OnFull); 2] = [
        ("reject", OnFull::Reject),
        ("drop_oldest", OnFull::DropOldest),
    ];
    let mut settings = StorageSettings::default();
    let dir = fields.take("dir").and_then(|node| cx.path(node));
    settings.dir = dir.unwrap_or_else(|| cx.resolve(fields.owner(), "data"));
    if let Some(node) = fields.take("segment_bytes") {
        set(
            &mut settings.segment_bytes,
            cx.bytes(node, SEGMENT_BYTES_MIN),
        );
    }
    if let Some(node) = fields.take("max_bytes") {
        let least = settings.segment_bytes.saturating_mul(2);
        set(&mut settings.bytes_max, cx.bytes(node, least));
    }
    if let Some(node) = fields.take("min_free") {
        set(&mut settings.free_bytes_min, cx.bytes(node, 0));
    }
    if let Some(node) = fields.take("retain") {
        set(&mut settings.retain, cx.duration(node));
    }
    if let Some(node) = fields.take("ttl") {
        settings.ttl = cx.positive_duration(node);
    }
    if let Some(node) = fields.take("on_full") {
        set(&mut settings.on_full, cx.word(node, &ON_FULL));
    }
    fields.close(cx);
    settings
}

/// `reload`.
pub(in crate::config) fn reload(mut fields: Fields<'_>, cx: &mut Cx<'_>) -> ReloadSettings {
    const TESTS: [(&str, TestPolicy); 3] = [
        ("require", TestPolicy::Require),
        ("warn", TestPolicy::Warn),
        ("off", TestPolicy::Off),
    ];
    let mut settings = ReloadSettings::default();
    if let Some(node) = fields.take("tests") {
        set(&mut settings.tests, cx.word(node, &TESTS));
    }
    if let Some(node) = fields.take("poll") {
        set(&mut settings.poll, cx.positive_duration(node));
    }
    fields.close(cx);
    settings
}

fn set<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}
