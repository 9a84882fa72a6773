//! The expression language, case by case: every file of `tests/cases/expr` is a list of expressions
//! and what comes of them.
//!
//! A case has `expr` (or `path`, a JSONPath on its own), perhaps a `doc` of its own, and one of:
//! `result`, the JSON text it gives; `missing: true`; `error`, the code it fails with; `refused`, the
//! codes it does not compile with; `secret: true`. Besides, `warned` lists the warnings, and
//! `certain: true` says that it is known not to fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use trackway::clock::Timestamp;
use trackway::diagnostic::Diagnostics;
use trackway::diagnostic::Severity;
use trackway::expr::Kinds;
use trackway::expr::Program;
use trackway::expr::Scope;
use trackway::expr::Table;
use trackway::expr::Variable;
use trackway::expr::Vocabulary;
use trackway::expr::scope::Budget;
use trackway::text::Excerpt;
use trackway::text::SourceFile;
use trackway::text::Sources;
use trackway::value::Arena;
use trackway::value::Kind;
use trackway::value::ParseLimits;
use trackway::value::Value;
use trackway::value::parse;
use trackway::value::write;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    doc: String,
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key that a case may have"
)]
struct Case {
    expr: Option<String>,
    path: Option<String>,
    doc: Option<String>,
    result: Option<String>,
    #[serde(default)]
    missing: bool,
    #[serde(default)]
    secret: bool,
    error: Option<String>,
    refused: Option<Vec<String>>,
    #[serde(default)]
    warned: Vec<String>,
    #[serde(default)]
    certain: bool,
}

#[test]
fn every_case_comes_out_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/expr");
    let mut faults = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file: File = serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert!(
            file.about.ends_with('.'),
            "{}: about is a sentence",
            path.display()
        );
        for case in &file.cases {
            count += 1;
            let text = case.expr.as_ref().or(case.path.as_ref()).unwrap();
            let found = case.run(text, case.doc.as_ref().unwrap_or(&file.doc));
            let wanted = case.wanted();
            if found != wanted {
                let name = path.file_name().unwrap().display();
                faults.push(format!("{name}: {text}\n  says  {wanted}\n  gives {found}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(300 < count, "{count} cases were found");
}

impl Case {
    fn wanted(&self) -> String {
        let outcome = match (&self.refused, &self.error, &self.result) {
            (Some(codes), ..) => return format!("refused {codes:?} {:?}", self.warned),
            (_, Some(code), _) => format!("error {code}"),
            (_, _, Some(json)) => json.clone(),
            _ if self.missing => "missing".to_owned(),
            _ if self.secret => "a secret".to_owned(),
            _ => "nothing that is checked".to_owned(),
        };
        let certain = if self.certain { ", certain" } else { "" };
        format!("{outcome} {:?}{certain}", self.warned)
    }

    fn run(&self, text: &str, doc: &str) -> String {
        let file = Sources::default().add(SourceFile::new("case", text));
        let source = Excerpt::contiguous(text, file, 0);
        let mut diagnostics = Diagnostics::default();
        let program = if self.path.is_some() {
            Program::compile_path(&source, &mut diagnostics)
        } else {
            Program::compile(&source, &vocabulary(), &mut diagnostics)
        };
        let codes = |severity| -> Vec<String> {
            let found = diagnostics
                .sorted()
                .into_iter()
                .filter(|it| it.severity == severity);
            found
                .map(|diagnostic| diagnostic.code.to_string())
                .collect()
        };
        let warned = codes(Severity::Warning);
        let Some(program) = program else {
            return format!("refused {:?} {warned:?}", codes(Severity::Error));
        };
        let outcome = evaluate(&program, doc);
        let fails = program.can_fail();
        assert!(
            fails || !outcome.starts_with("error"),
            "{text} cannot fail: {outcome}"
        );
        let certain = if self.certain && !fails {
            ", certain"
        } else {
            ""
        };
        format!("{outcome} {warned:?}{certain}")
    }
}

/// What it gives about the document, however that is held and whoever writes it.
fn evaluate(program: &Program, doc: &str) -> String {
    let arena = Arena::new();
    let parsed = parse(doc.as_bytes(), ParseLimits::default(), &arena).unwrap();
    let outcome = outcome(program, parsed, &arena);
    let built = self::outcome(program, built(parsed, &arena), &arena);
    assert_eq!(
        outcome,
        built,
        "{} about a built value",
        program.source().text()
    );
    outcome
}

fn outcome<'a>(program: &'a Program, root: Value<'a>, arena: &'a Arena) -> String {
    let budget = Budget::new(1);
    let item = arena.object([("sku", Value::Text("A-1"))]);
    let index = Value::Number(trackway::value::Number::Int(3));
    let settings = [
        ("region", Value::Text("eu")),
        ("Region", Value::Text("EU")),
        ("token", Value::Secret(0)),
    ];
    let variables = [
        Value::Text("person.event"),
        Value::Time(Timestamp::from_millis(1_767_323_045_678)),
        arena.object([("id", Value::Text("u1"))]),
        arena.object(settings),
    ];
    let scope = Scope {
        root,
        item,
        index,
        variables: arena.place(variables),
        arena,
        budget: &budget,
    };
    let value = match program.eval(&scope) {
        Ok(value) => value,
        Err(error) => {
            assert!(!error.message.is_empty());
            return format!("error {}", error.code);
        }
    };
    let kind = value.kind();
    let kinds = program.kinds();
    assert!(
        kinds.has(kind),
        "{} is {kind:?}, not {kinds:?}",
        program.source().text()
    );
    if let Some(constant) = program.constant() {
        assert_eq!(json(constant), json(value));
    }
    match value {
        Value::Missing => "missing".to_owned(),
        Value::Secret(_) => "a secret".to_owned(),
        value => json(value),
    }
}

fn json(value: Value<'_>) -> String {
    let mut json = Vec::new();
    write(value, &mut json);
    String::from_utf8(json).unwrap()
}

/// The same document, with lists and objects as they are built, not as they are read.
fn built<'a>(value: Value<'a>, arena: &'a Arena) -> Value<'a> {
    match value.kind() {
        Kind::List => arena.list(value.items().map(|item| built(item, arena))),
        Kind::Object => arena.object(
            value
                .entries(arena)
                .map(|(key, value)| (key, built(value, arena))),
        ),
        _ => value,
    }
}

fn vocabulary() -> Vocabulary {
    let variable = |name: &str, kind| Variable {
        name: name.to_owned(),
        kinds: Kinds::of(kind),
        about: String::new(),
    };
    let rows = [("1", "\"free\""), ("2", "\"pro\"")];
    let rows = rows.map(|(key, json)| (key.to_owned(), json.to_owned()));
    let plans = Table {
        rows: BTreeMap::from(rows),
    };
    Vocabulary {
        variables: vec![
            variable("op", Kind::Text),
            variable("now", Kind::Time),
            variable("params", Kind::Object),
            variable("settings", Kind::Object),
        ],
        root: Some("the document".to_owned()),
        item: Some("the item".to_owned()),
        tables: Arc::new(BTreeMap::from([("plans".to_owned(), plans)])),
        members: [(
            "params".to_owned(),
            vec!["id".to_owned(), "device_id".to_owned()],
        )]
        .into(),
        secrets: vec!["token".to_owned()],
    }
}
