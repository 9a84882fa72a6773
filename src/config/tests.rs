//! Whole configurations, from text to settings.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use globset::Glob;
use proptest::prelude::*;

use super::Environment;
use super::Files;
use super::Loaded;
use super::Unset;
use super::catalog;
use super::load;
use super::load::load_built_in;
use super::settings::ConnectionAction;
use super::settings::Expected;
use super::settings::Ordering;
use super::settings::SecretSource;
use super::settings::SettingValue;
use super::settings::Settings;
use super::settings::SourceSettings;
use crate::diagnostic::Code;
use crate::diagnostic::render::Style;
use crate::diagnostic::render::render;

/// Files in memory.
#[derive(Debug)]
struct Memory(BTreeMap<PathBuf, String>);

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let text = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(text.clone().into_bytes())
    }

    fn glob(&self, directory: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
        let matcher = Glob::new(pattern).unwrap().compile_matcher();
        let below = |path: &&PathBuf| {
            path.strip_prefix(directory)
                .is_ok_and(|relative| matcher.is_match(relative))
        };
        Ok(self.0.keys().filter(below).cloned().collect())
    }
}

fn load_files(files: &[(&str, &str)], variables: &[(&str, &str)], unset: Unset) -> Loaded {
    let texts = files
        .iter()
        .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let environment = Environment {
        variables: &variables,
        unset,
    };
    load(Path::new(files[0].0), &Memory(texts.collect()), environment)
}

fn shown(loaded: &Loaded) -> String {
    render(&loaded.diagnostics, &loaded.sources, Style::Plain)
}

fn settings(text: &str) -> Settings {
    let loaded = load_files(&[("etc/routing.yaml", text)], &[], Unset::Error);
    let shown = shown(&loaded);
    loaded.settings.unwrap_or_else(|| panic!("{shown}"))
}

fn codes(loaded: &Loaded) -> Vec<Code> {
    loaded
        .diagnostics
        .sorted()
        .iter()
        .map(|found| found.code)
        .collect()
}

const EXAMPLE: &str = include_str!("../../tests/fixtures/routing.yaml");

#[test]
fn the_example_of_the_manual_loads_as_it_reads() {
    let variables = [
        ("WEB_SITE_ID", "web-site"),
        ("BILLING_SITE_ID", "billing-site"),
    ];
    let include = (
        "etc/sources/more.yaml",
        "sources: {app: {credentials: [{site_id: a, api_key: secret://env/A}]}}\n",
    );
    let loaded = load_files(
        &[("etc/routing.yaml", EXAMPLE), include],
        &variables,
        Unset::Error,
    );
    assert_eq!(shown(&loaded), "");
    let settings = loaded.settings.unwrap();
    let sources: Vec<_> = settings.sources.iter().map(SourceSettings::title).collect();
    assert_eq!(
        sources,
        [
            "Journeys API: app",
            "Journeys API: Production Javascript",
            "Journeys API: Billing service"
        ]
    );
    let web = &settings.sources[1].credentials[0];
    assert_eq!(&*web.site_id, "web-site");
    assert_eq!(
        web.api_key,
        SecretSource::Environment("WEB_API_KEY".to_owned())
    );
    let billing = &settings.sources[2];
    let key = SecretSource::File(PathBuf::from("/run/secrets/billing"));
    assert_eq!(billing.credentials[0].api_key, key);
    assert_eq!(
        billing.forward.as_ref().unwrap().url,
        "https://track.customer.io"
    );
    assert_eq!(settings.storage.dir, Path::new("etc/data"));
    assert_eq!(settings.storage.bytes_max, 20 << 30);
    let inputs: Vec<_> = settings
        .inputs
        .iter()
        .map(|path| path.to_str().unwrap())
        .collect();
    assert_eq!(inputs, ["etc/routing.yaml", "etc/sources/more.yaml"]);
}

#[test]
fn the_rules_of_the_example_load_as_they_read() {
    let loaded = load_files(&[("routing.yaml", EXAMPLE)], &[], Unset::Warning);
    let settings = loaded.settings.unwrap();
    let mixpanel = &settings.destinations[0];
    let place = |name: &str| {
        mixpanel
            .definition
            .settings
            .iter()
            .position(|spec| spec.name == name)
            .unwrap()
    };
    let token = SecretSource::Environment("MIXPANEL_TOKEN".to_owned());
    assert_eq!(
        mixpanel.values[place("project_token")],
        SettingValue::Secret(token)
    );
    assert_eq!(
        mixpanel.values[place("region")],
        SettingValue::Json("\"eu\"".to_owned())
    );
    assert_eq!(mixpanel.values[place("group_key")], SettingValue::Missing);
    assert_eq!(settings.translation[0].name, "signup is a page too");
    assert!(1 < settings.translation.len(), "the built-in rules follow");
    let [internal, orders, pass] = settings.connections.as_slice() else {
        panic!()
    };
    assert!(internal.to.is_none() && matches!(internal.action, ConnectionAction::Drop(_)));
    assert!(matches!(orders.action, ConnectionAction::Map(_)));
    assert_eq!(
        (&*pass.name, pass.from.as_ref().unwrap().len()),
        ("billing to pipelines", 1)
    );
    assert!(matches!(
        settings.cases[0].expect[1].2,
        Expected::Nothing(_)
    ));
}

#[test]
fn the_catalogue_is_without_findings() {
    for name in catalog::names() {
        let loaded = load_built_in(name).unwrap();
        assert_eq!(shown(&loaded), "", "{name}");
        assert_eq!(loaded.definition.unwrap().name, name);
    }
    assert!(load_built_in("nonsense").is_none());
}

#[test]
fn a_sigil_behind_white_space_is_said_to_be_none() {
    let text = "trackway: 1\nconnections:\n  - {from: '*', to: '*', when: ' =true', map: {a: ' =$.x', b: ' == x'}}\n";
    let loaded = load_files(&[("routing.yaml", text)], &[], Unset::Error);
    assert_eq!(codes(&loaded), [Code::MissingSigil, Code::MissingSigil]);
    assert_eq!(
        loaded
            .diagnostics
            .count(crate::diagnostic::Severity::Warning),
        1
    );
}

#[test]
fn every_default_can_be_left_out() {
    let settings = settings("trackway: 1\n");
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.server.admin.to_string(), "127.0.0.1:9090");
    assert_eq!(settings.storage.dir, Path::new("etc/data"));
    assert_eq!(settings.storage.segment_bytes, 64 << 20);
    assert_eq!(settings.reload.poll, Duration::from_secs(5));
}

#[test]
fn delivery_is_set_key_by_key() {
    let settings = settings(
        "trackway: 1
destinations:
  hook:
    type: stdout
    ordering: none
    concurrency: 3
    rate: 100/s
    timeout: 5s
    retry: {schedule: [1s, 2m]}
    batch: {items: 10, wait: 0s}
    allow_private: true
    from: earliest
    renamed_from: old
    on_error: omit_field
",
    );
    let delivery = &settings.destinations[0].delivery;
    assert_eq!(delivery.ordering, Ordering::None);
    assert_eq!(
        delivery.retry,
        [Duration::from_secs(1), Duration::from_secs(120)]
    );
    assert_eq!(delivery.rate.unwrap().requests, 100);
    assert_eq!(delivery.batch.items, Some(10));
    assert_eq!(delivery.batch.bytes, None);
    assert_eq!(delivery.renamed_from.as_deref(), Some("old"));
}

#[test]
fn checking_needs_no_environment_and_running_does() {
    let offline = load_files(&[("routing.yaml", EXAMPLE)], &[], Unset::Warning);
    assert_eq!(
        codes(&offline)[1..],
        [Code::VariableNotSet, Code::VariableNotSet]
    );
    assert!(offline.settings.is_some(), "{}", shown(&offline));
    let online = load_files(&[("routing.yaml", EXAMPLE)], &[], Unset::Error);
    assert!(online.settings.is_none());
}

#[test]
fn a_value_from_the_environment_takes_the_type_of_its_key() {
    let text = "trackway: 1
server: {listen: '127.0.0.1:${env:PORT}', max_connections: '${env:CONNECTIONS}'}
destinations: {m: {type: mixpanel, allow_private: '${env:PRIVATE}', settings: {project_token: '${env:TOKEN}', merge_people: '${env:PRIVATE}'}}}
";
    let variables = [
        ("PORT", "81"),
        ("CONNECTIONS", "7"),
        ("PRIVATE", "true"),
        ("TOKEN", "t"),
    ];
    let loaded = load_files(&[("routing.yaml", text)], &variables, Unset::Error);
    assert_eq!(shown(&loaded), "");
    let settings = loaded.settings.unwrap();
    assert_eq!(settings.server.listen.port(), 81);
    assert_eq!(settings.server.connections_max, 7);
    assert!(settings.destinations[0].delivery.allow_private);
    let values = &settings.destinations[0].values;
    assert_eq!(
        values[0],
        SettingValue::Secret(SecretSource::Plain("t".to_owned()))
    );
    assert!(values.contains(&SettingValue::Json("true".to_owned())));

    let wrong = [
        ("PORT", "x"),
        ("CONNECTIONS", "many"),
        ("PRIVATE", "maybe"),
        ("TOKEN", "t"),
    ];
    let loaded = load_files(&[("routing.yaml", text)], &wrong, Unset::Error);
    assert_eq!(codes(&loaded), [Code::InterpolatedType; 4]);
    let offline = load_files(&[("routing.yaml", text)], &[], Unset::Warning);
    assert!(offline.settings.is_some(), "{}", shown(&offline));
}

#[test]
fn included_files_come_first_and_names_are_defined_once() {
    let files = [
        (
            "a/routing.yaml",
            "trackway: 1\ninclude: ['parts/*.yaml', parts/one.yaml]\nconnections: [{name: main, from: '*', to: '*'}]\nsources: {web: {}}\n",
        ),
        (
            "a/parts/two.yaml",
            "connections: [{name: two, from: '*', to: '*'}]\nsources: {web: {}}\n",
        ),
        (
            "a/parts/one.yaml",
            "connections: [{name: one, from: '*', to: '*'}]\nserver: {default_source: web}\n",
        ),
    ];
    let loaded = load_files(&files, &[], Unset::Error);
    assert_eq!(codes(&loaded), [Code::DefinedTwice]);
    let found = loaded.diagnostics.sorted()[0].clone();
    let places: Vec<_> = found
        .labels
        .iter()
        .map(|label| loaded.sources.place(label.span))
        .collect();
    assert_eq!(places, ["a/routing.yaml:4:11", "a/parts/two.yaml:2:11"]);

    let files = [
        (
            "a/routing.yaml",
            "trackway: 1\ninclude: parts/*.yaml\nconnections: [{name: main, from: '*', to: '*'}]\n",
        ),
        files[1],
        files[2],
    ];
    let settings = load_files(&files, &[], Unset::Error).settings.unwrap();
    let names: Vec<_> = settings
        .connections
        .iter()
        .map(|it| it.name.to_string())
        .collect();
    assert_eq!(names, ["one", "two", "main"]);
}

#[test]
fn a_file_that_includes_itself_is_refused() {
    let files = [
        ("routing.yaml", "trackway: 1\ninclude: one.yaml\n"),
        ("one.yaml", "include: two.yaml\n"),
        ("two.yaml", "include: [one.yaml]\n"),
    ];
    assert_eq!(
        codes(&load_files(&files, &[], Unset::Error)),
        [Code::IncludeCycle]
    );
}

#[test]
fn a_definition_of_ones_own_is_named_by_its_path() {
    let files = [
        (
            "a/routing.yaml",
            "trackway: 1\ndestinations: {one: {type: ./types/mine.yaml, settings: {file: out.ndjson}}, two: {type: types/mine.yaml, settings: {file: /tmp/x}}}\n",
        ),
        (
            "a/types/mine.yaml",
            "destination: 1\nname: mine\nsettings: {file: {type: path, required: true}}\nlanes: {lines: {file: =settings.file}}\nrules: [{send: [{lane: lines, map: =$}]}]\n",
        ),
    ];
    let loaded = load_files(&files, &[], Unset::Error);
    assert_eq!(shown(&loaded), "");
    let settings = loaded.settings.unwrap();
    let values: Vec<_> = settings
        .destinations
        .iter()
        .map(|it| it.values[0].clone())
        .collect();
    let json = |text: &str| SettingValue::Json(format!("\"{text}\""));
    assert_eq!(values, [json("a/out.ndjson"), json("/tmp/x")]);
    assert_eq!(settings.inputs.len(), 2);
    let alone = load_files(&files[1..], &[], Unset::Error);
    assert_eq!(alone.definition.unwrap().name, "mine");
}

#[test]
fn secrets_and_their_places_are_never_printed_in_clear() {
    let settings = settings(
        "trackway: 1
destinations: {m: {type: mixpanel, settings: {project_token: hunter2}}}
",
    );
    let text = format!("{settings:?}");
    assert!(!text.contains("hunter2") && text.contains("***"));
}

#[test]
fn a_mistake_in_an_expression_is_found_at_its_column_in_every_style() {
    for when in [
        "when: =nope($.a)",
        "when: =$.é == nope($.a)",
        "when: '=$.a == ''x'' and nope($.a)'",
        "when: '=\"it''s\" == nope($.a)'",
        "when: \"=\\\"x\\\" == nope($.a)\"",
        "when: \"=\\\"\\u00e9\\x41\\U0001F600\\\" == nope($.a)\"",
        "when: \"=$.a == \\\n      nope($.a)\"",
        "when: \"=$.a ==\n\n      nope($.a)\"",
        "when: =$.a is string\n      and nope($.b)",
        "when: '=$.a is string\n      and nope($.b)'",
        "when: |\n      =nope($.a)\n",
        "when: |2-\n      =$.a == 1\n          and nope($.a)",
        "when: >\n      =$.a == 1\n      and nope($.a)\n",
        "when: >-\n      =$.a == 1\n\n      and\n        nope($.a)",
        "when: &anchor =nope($.a)",
        "when: # why\n      =nope($.a)",
        "when: >- # why\n      ='😀' == nope($.a)",
        "\"when\": =nope($.a) # why",
        "map: {a: [1, {b: '=nope($.a)'}]}",
    ] {
        let text = format!(
            "trackway: 1\r\nsources: {{a: {{credentials: [{{site_id: a, api_key: secret://env/A}}]}}}}\nconnections:\n  - from: \"*\"\n    to: \"*\"\n    {when}\n"
        );
        let loaded = load_files(&[("f.yaml", &text)], &[], Unset::Error);
        let shown = shown(&loaded);
        let found = loaded.diagnostics.sorted();
        assert_eq!(codes(&loaded), [Code::UnknownFunction], "{when}\n{shown}");
        let span = found[0].span().unwrap();
        assert_eq!(
            span.start as usize,
            text.find("nope").unwrap(),
            "{when}\n{shown}"
        );
        assert_eq!(loaded.sources.text(span), "nope", "{when}\n{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_edit_makes_loading_or_rendering_panic(
        at in 0..EXAMPLE.len(),
        cut in 0..40_usize,
        put in "[-=:#{}\\[\\],&*!|>'\"%@ \n\ta$é.]{0,6}",
    ) {
        let boundary = |at: usize| (0..=at.min(EXAMPLE.len())).rev().find(|at| EXAMPLE.is_char_boundary(*at)).unwrap();
        let start = boundary(at);
        let end = boundary(at + cut);
        let mut text = EXAMPLE.to_owned();
        text.replace_range(start..end, &put);
        let loaded = load_files(&[("routing.yaml", &text)], &[], Unset::Warning);
        prop_assert!(loaded.settings.is_none() || !loaded.diagnostics.has_errors());
        let said = !loaded.diagnostics.is_empty();
        prop_assert!(loaded.settings.is_some() || loaded.definition.is_some() || said);
        for found in loaded.diagnostics.iter() {
            for label in &found.labels {
                let file = loaded.sources.file(label.span.file).unwrap();
                prop_assert!(label.span.end as usize <= file.text().len(), "{found:?}");
            }
        }
        prop_assert_eq!(shown(&loaded).is_empty(), !said);
    }
}
