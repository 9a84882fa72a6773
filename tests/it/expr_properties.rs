//! What holds for every expression: no text can crash the compiler, no document the evaluator, and
//! limits hold at their edge.

use std::sync::Arc;

use proptest::prelude::*;
use trackway::diagnostic::Code;
use trackway::diagnostic::Diagnostics;
use trackway::expr::DEPTH_MAX;
use trackway::expr::Kinds;
use trackway::expr::NESTING_MAX;
use trackway::expr::Program;
use trackway::expr::Scope;
use trackway::expr::TEXT_BYTES_MAX;
use trackway::expr::Template;
use trackway::expr::Variable;
use trackway::expr::Vocabulary;
use trackway::expr::builtins;
use trackway::expr::builtins::examples;
use trackway::expr::scope::Budget;
use trackway::expr::template::OnError;
use trackway::text::Excerpt;
use trackway::text::SourceFile;
use trackway::text::Sources;
use trackway::value::Arena;
use trackway::value::Kind;
use trackway::value::ParseLimits;
use trackway::value::Value;
use trackway::value::parse;
use trackway::value::write;

/// What expressions are made of; strung together at random, a good part of it compiles.
const TOKENS: &[&str] = &[
    "$",
    "$.total",
    "$.items[*]",
    "$.items[?@.qty > 1]",
    "$..price",
    "$.nothing",
    "$.absent",
    "@",
    "@.sku",
    "index",
    "op",
    "settings",
    "settings.token",
    "now",
    "null",
    "missing",
    "true",
    "0",
    "-1",
    "2.5",
    "9223372036854775807",
    "\"a\"",
    "\"{$.event}\"",
    "'b'",
    "r\"^a\"",
    "[",
    "]",
    "(",
    ")",
    ",",
    "|",
    "??",
    "?!",
    "catch",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "<",
    ">=",
    "in",
    "not in",
    "is",
    "is not",
    "string",
    "list",
    "~",
    "!~",
    "and",
    "or",
    "not",
    "if",
    "then",
    "else",
    "x => x",
    "x => x + 1",
    "x",
    ".sku",
    "[0]",
    "[index]",
    "{",
    "}",
    "\"",
    "'",
    "&&",
    "\\",
    "é",
];

fn token() -> impl Strategy<Value = String> {
    let names: Vec<&str> = builtins::names().collect();
    prop_oneof![
        3 => prop::sample::select(TOKENS).prop_map(str::to_owned),
        1 => prop::sample::select(names).prop_map(str::to_owned),
    ]
}

/// Expressions that compile more often than not.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "$.total",
        "$.items[*].price",
        "$.nothing",
        "$.absent",
        "$.tags",
        "$.traits",
        "$.event",
        "1",
        "0",
        "2.5",
        "\"a\"",
        "missing",
        "null",
        "true",
        "[1, \"b\"]",
        "op",
        "now",
        "@.sku",
    ]);
    let functions: Vec<&str> = builtins::names().collect();
    leaf.prop_map(str::to_owned)
        .prop_recursive(4, 24, 3, move |inner| {
            let operator = prop::sample::select(vec![
                "+", "-", "*", "/", "%", "==", "!=", "<", "??", "?!", "catch", "and", "or", "in",
            ]);
            let function = prop::sample::select(functions.clone());
            prop_oneof![
                (inner.clone(), operator, inner.clone())
                    .prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
                (inner.clone(), function.clone()).prop_map(|(a, name)| format!("({a}) | {name}")),
                (inner.clone(), function.clone(), inner.clone())
                    .prop_map(|(a, name, b)| format!("({a}) | {name}({b})")),
                (inner.clone(), function, inner.clone())
                    .prop_map(|(a, name, b)| format!("({a}) | {name}(x => {b})")),
                (inner.clone(), inner.clone(), inner.clone())
                    .prop_map(|(a, b, c)| format!("if ({a}) then {b} else {c}")),
                inner.clone().prop_map(|a| format!("\"<{{{a}}}>\"")),
                inner.clone().prop_map(|a| format!("not ({a})")),
                inner.clone().prop_map(|a| format!("({a}) is number")),
                inner.prop_map(|a| format!("({a}) ~ ['a*', '?']")),
            ]
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_crashes_the_compiler(text in "\\PC{0,60}") {
        run(&text);
    }

    #[test]
    fn no_tokens_crash_the_compiler(tokens in prop::collection::vec(token(), 0..14)) {
        run(&tokens.concat());
        run(&tokens.join(" "));
    }

    #[test]
    fn no_path_crashes_the_compiler(text in "\\$[\\.\\[\\]\\*\\?@:,'\"a-c0-3=!<&|() -]{0,30}") {
        run(&text);
        let file = Sources::default().add(SourceFile::new("path", text.as_str()));
        let source = Excerpt::contiguous(text.as_str(), file, 0);
        let mut diagnostics = Diagnostics::default();
        let program = Program::compile_path(&source, &mut diagnostics);
        prop_assert_eq!(program.is_none(), diagnostics.has_errors());
    }

    #[test]
    fn what_compiles_evaluates_to_a_kind_it_announced(text in expression()) {
        run(&text);
    }
}

/// Compiles and, if it can be, evaluates it; checks what must hold of the outcome.
fn run(text: &str) {
    let Ok(program) = compile(text) else { return };
    let arena = Arena::new();
    let budget = Budget::new(1);
    budget.fuel.set(20_000);
    let variables = [
        Value::Text("person.event"),
        Value::Time(trackway::clock::Timestamp::from_millis(examples::NOW_MS)),
        arena.object([("token", Value::Secret(0))]),
    ];
    let scope = Scope {
        root: parse(examples::SUBJECT.as_bytes(), ParseLimits::default(), &arena).unwrap(),
        item: arena.object([("sku", Value::Text("A"))]),
        index: Value::Number(trackway::value::Number::Int(2)),
        variables: &variables,
        arena: &arena,
        budget: &budget,
    };
    match program.eval(&scope) {
        Ok(value) => {
            let (kind, kinds) = (value.kind(), program.kinds());
            assert!(kinds.has(kind), "{text} is {kind:?}, not {kinds:?}");
            let mut json = Vec::new();
            write(value, &mut json);
            // A secret is written as a mark that no JSON has.
            if !json.contains(&1) && !value.is_missing() {
                parse(&json, ParseLimits::default(), &arena).unwrap();
            }
        }
        Err(error) => {
            let counts = matches!(error.code, Code::OutOfFuel | Code::OutputTooLarge);
            assert!(counts || program.can_fail(), "{text} cannot fail: {error}");
        }
    }
}

fn compile(text: &str) -> Result<Program, Vec<Code>> {
    let variable = |name: &str, kind| Variable {
        name: name.to_owned(),
        kinds: Kinds::of(kind),
        about: String::new(),
    };
    let vocabulary = Vocabulary {
        variables: vec![
            variable("op", Kind::Text),
            variable("now", Kind::Time),
            variable("settings", Kind::Object),
        ],
        root: Some("the subject".to_owned()),
        item: Some("the item".to_owned()),
        tables: Arc::new(examples::tables().collect()),
        secrets: vec!["token".to_owned()],
        ..Vocabulary::default()
    };
    let file = Sources::default().add(SourceFile::new("expression", text));
    let mut diagnostics = Diagnostics::default();
    let source = Excerpt::contiguous(text, file, 0);
    let program = Program::compile(&source, &vocabulary, &mut diagnostics);
    assert_eq!(
        program.is_none(),
        diagnostics.has_errors(),
        "{text}: {diagnostics:?}"
    );
    for diagnostic in diagnostics.iter() {
        for label in &diagnostic.labels {
            let (start, end) = (label.span.start as usize, label.span.end as usize);
            assert!(text.get(start..end).is_some(), "{text}: {diagnostic:?}");
        }
    }
    program.ok_or_else(|| {
        diagnostics
            .iter()
            .map(|diagnostic| diagnostic.code)
            .collect()
    })
}

fn refused(text: &str) -> Vec<Code> {
    compile(text).err().unwrap_or_default()
}

#[test]
fn a_text_of_8_kib_is_taken_and_not_a_byte_more() {
    let text = |len: usize| format!("'{}'", "a".repeat(len - 2));
    assert!(refused(&text(TEXT_BYTES_MAX)).is_empty());
    assert_eq!(
        refused(&text(TEXT_BYTES_MAX + 1)),
        [Code::ExpressionTooLarge]
    );
}

#[test]
fn brackets_and_ifs_nest_64_deep_and_no_deeper() {
    let brackets = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(refused(&brackets(NESTING_MAX)).is_empty());
    assert_eq!(
        refused(&brackets(NESTING_MAX + 1)),
        [Code::ExpressionTooLarge]
    );
    let choices = |count: usize| format!("{}0", "if $.a then 1 else ".repeat(count));
    assert!(refused(&choices(NESTING_MAX)).is_empty());
    assert_eq!(
        refused(&choices(NESTING_MAX + 1)),
        [Code::ExpressionTooLarge]
    );
}

#[test]
fn steps_build_on_one_another_128_deep_and_no_deeper() {
    let sum = |terms: usize| vec!["$.a"; terms].join(" + ");
    assert!(refused(&sum(DEPTH_MAX)).is_empty());
    assert_eq!(refused(&sum(DEPTH_MAX + 1)), [Code::ExpressionTooLarge]);
    let pipes = "$.a".to_owned() + &" | upper".repeat(DEPTH_MAX);
    assert_eq!(refused(&pipes), [Code::ExpressionTooLarge]);
}

#[test]
fn long_flat_expressions_are_no_problem() {
    for text in [
        vec!["$.a"; 1000].join(" or "),
        format!("op in [{}]", vec!["\"abc\""; 1000].join(",")),
        "not ".repeat(2000) + "$.a",
        "-".repeat(4000) + "1",
        format!("\"{}\"", "{$.a}".repeat(1500)),
    ] {
        assert!(refused(&text).is_empty(), "{text}");
    }
    // Whatever is too much is refused, not crashed over.
    for text in [
        "[", "(", "{", "\"{", "if ", "not ", "$[", "$[?(", "$..", "$.a[?@", "a(", "x=>",
    ] {
        refused(&text.repeat(TEXT_BYTES_MAX / text.len()));
    }
}

#[test]
fn an_evaluation_ends_when_its_fuel_does() {
    let program = compile("[1, 2] | map(x => [1, 2] | map(y => $.a[*] | count))").unwrap();
    let items = format!("{{\"a\":[{}]}}", vec!["1"; 10_000].join(","));
    let arena = Arena::new();
    let budget = Budget::new(1);
    let root = parse(items.as_bytes(), ParseLimits::default(), &arena).unwrap();
    let scope = Scope {
        root,
        item: Value::Missing,
        index: Value::Missing,
        variables: &[],
        arena: &arena,
        budget: &budget,
    };
    program.eval(&scope).unwrap();
    let spent = Budget::FUEL - budget.fuel.get();
    assert!(40_000 < spent, "{spent}");
    budget.fuel.set(spent - 1);
    assert_eq!(program.eval(&scope).unwrap_err().code, Code::OutOfFuel);
    assert_eq!(budget.fuel.get(), 0);
    budget.fuel.set(spent);
    program.eval(&scope).unwrap();
}

#[test]
fn loops_over_loops_of_literals_end_too() {
    let list = || compile("$.a").unwrap();
    let inner = Template::Each {
        list: list(),
        value: Box::new(Template::Literal("1".to_owned())),
    };
    let template = Template::Each {
        list: list(),
        value: Box::new(inner),
    };
    let items = format!("{{\"a\":[{}]}}", vec!["1"; 3_000].join(","));
    let arena = Arena::new();
    let budget = Budget::new(1);
    let root = parse(items.as_bytes(), ParseLimits::default(), &arena).unwrap();
    let scope = Scope {
        root,
        item: Value::Missing,
        index: Value::Missing,
        variables: &[],
        arena: &arena,
        budget: &budget,
    };
    let mut out = b"kept".to_vec();
    let error = template
        .write(&scope, OnError::OmitField, &mut out)
        .unwrap_err();
    assert_eq!(error.code, Code::OutOfFuel);
    assert_eq!(out, b"kept");
}
