//! What holds for all functions: their rows are complete and their examples true.

mod cases;
mod limits;
mod properties;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::diagnostic::Diagnostics;
use crate::expr::Kinds;
use crate::expr::Program;
use crate::expr::Scope;
use crate::expr::Variable;
use crate::expr::Vocabulary;
use crate::expr::builtins::Accepts;
use crate::expr::builtins::Presence;
use crate::expr::builtins::examples;
use crate::expr::builtins::functions;
use crate::expr::scope::Budget;
use crate::text::Excerpt;
use crate::text::SourceFile;
use crate::text::Sources;
use crate::value;
use crate::value::Arena;
use crate::value::Kind;
use crate::value::ParseLimits;
use crate::value::Value;

/// What an expression gives about the subject of the examples: JSON, `missing`, or `error` and why.
pub(super) fn run(expression: &str) -> String {
    run_with(expression, examples::SUBJECT)
}

/// What an expression gives about a document.
pub(super) fn run_with(expression: &str, subject: &str) -> String {
    let vocabulary = Vocabulary {
        variables: vec![Variable {
            name: "now".to_owned(),
            kinds: Kinds::of(Kind::Time),
            about: String::new(),
        }],
        root: Some("the subject of the examples".to_owned()),
        tables: Arc::new(examples::tables().collect()),
        ..Vocabulary::default()
    };
    let file = Sources::default().add(SourceFile::new("example", expression));
    let source = Excerpt::contiguous(expression, file, 0);
    let mut diagnostics = Diagnostics::default();
    let Some(program) = Program::compile(&source, &vocabulary, &mut diagnostics) else {
        return format!("error: not compiled: {diagnostics:?}");
    };
    let arena = Arena::new();
    let budget = Budget::new(7);
    let scope = Scope {
        root: value::parse(subject.as_bytes(), ParseLimits::default(), &arena).unwrap(),
        item: Value::Missing,
        index: Value::Missing,
        variables: &[Value::Time(Timestamp::from_millis(examples::NOW_MS))],
        arena: &arena,
        budget: &budget,
    };
    match program.eval(&scope) {
        Ok(Value::Missing) => "missing".to_owned(),
        Ok(value) => {
            assert!(
                program.kinds().has(value.kind()),
                "{expression} gave {value:?}, not {:?}",
                program.kinds()
            );
            let mut json = Vec::new();
            value::write(value, &mut json);
            String::from_utf8(json).unwrap()
        }
        Err(error) => format!("error: {} {}", error.code, error.message),
    }
}

#[test]
fn every_example_is_true() {
    let mut wrong = Vec::new();
    for function in functions() {
        for (expression, expected) in function.examples {
            let result = run(expression);
            let holds = match *expected {
                "error" => result.starts_with("error: TW"),
                expected => result == expected,
            };
            if !holds {
                wrong.push(format!(
                    "{}: {expression}\n  says  {expected}\n  gives {result}",
                    function.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_row_is_complete() {
    let mut names = BTreeSet::new();
    for function in functions() {
        let name = function.name;
        assert!(names.insert(name), "{name} is there twice");
        assert!(
            function.summary.ends_with('.'),
            "{name}: the summary is a sentence"
        );
        assert!(
            2 <= function.examples.len(),
            "{name}: two examples at least"
        );
        let fails = function
            .examples
            .iter()
            .any(|(_, result)| *result == "error");
        assert!(
            !fails || function.fails.is_some(),
            "{name}: an example fails, the row says it cannot"
        );
        let last = function.parameters.len().saturating_sub(1);
        for (n, parameter) in function.parameters.iter().enumerate() {
            let repeats = matches!(parameter.presence, Presence::Repeated | Presence::AnyNumber);
            assert!(
                !repeats || n == last,
                "{name}: only the last parameter can be repeated"
            );
            let required_behind = function.parameters.iter().skip(n + 1).any(|parameter| {
                matches!(parameter.presence, Presence::Required | Presence::Repeated)
            });
            let optional = parameter.presence == Presence::Optional;
            assert!(
                !(optional && required_behind),
                "{name}: what can be left out comes last"
            );
        }
        let subject = function.subject().and_then(|n| function.parameters.get(n));
        if let (true, Some(Accepts::Kinds(kinds))) = (function.lifted, subject.map(|it| it.accepts))
        {
            assert!(
                !kinds.has(Kind::Missing),
                "{name} is lifted and never sees missing"
            );
        }
    }
}
