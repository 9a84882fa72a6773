//! What holds for every function and every argument it accepts.

use proptest::prelude::*;

use crate::clock::Timestamp;
use crate::diagnostic::Code;
use crate::expr::builtins::Accepts;
use crate::expr::builtins::Builtin;
use crate::expr::builtins::Call;
use crate::expr::builtins::CallError;
use crate::expr::builtins::Cx;
use crate::expr::builtins::LiteralUse;
use crate::expr::builtins::Outcome;
use crate::expr::builtins::Parameter;
use crate::expr::builtins::Presence;
use crate::expr::builtins::examples;
use crate::expr::builtins::functions;
use crate::expr::scope::Budget;
use crate::value;
use crate::value::Arena;
use crate::value::Kind;
use crate::value::Number;
use crate::value::ParseLimits;
use crate::value::Value;

/// Values with edges: each is tried as every argument that accepts its kind.
const JSON: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-1",
    "2",
    "15",
    "64",
    "1767323045",
    "1767323045678",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "99999999999999999999999",
    "0.5",
    "-2.5",
    "1e308",
    "5e-324",
    "\"\"",
    "\" \"",
    "\"a\"",
    "\"Zo\\u00eb \\ud83d\\ude00\"",
    "\"42\"",
    "\"-1.5e3\"",
    "\"$1,234.50\"",
    "\"2026-01-02\"",
    "\"2026-01-02T03:04:05Z\"",
    "\"9999-12-31T23:59:59.999Z\"",
    "\"1h 30m\"",
    "\"dns\"",
    "\"https://www.example.com:80/a?b=c&b=d#e\"",
    "\"a%20b+%FF\"",
    "\"a2V5Og==\"",
    "\"<b>&amp;\"",
    "\"{\\\"a\\\":[1]}\"",
    "\"ann@example.com\"",
    "\"\\u0000\\n\\u200b\"",
    "[]",
    "[1,2.5,null,\"a\"]",
    "[[1,[2]],{\"a\":1}]",
    "[\"b\",\"a\",\"b\"]",
    "[[\"k\",1],[\"k\",2]]",
    "{}",
    "{\"plan\":\"pro\",\"n\":null}",
    "{\"a\":{\"b\":[{\"c\":1}]},\"a.b\":2}",
    "{\"key\":\"k\",\"value\":1}",
];

fn pool(arena: &Arena) -> Vec<Value<'_>> {
    let parsed = JSON
        .iter()
        .map(|json| value::parse(json.as_bytes(), ParseLimits::default(), arena).unwrap());
    let built = [
        Value::Missing,
        Value::Time(Timestamp::from_millis(examples::NOW_MS)),
        Value::Time(Timestamp::from_millis(-62_135_596_800_000)),
        Value::Number(Number::Float(-0.0)),
        Value::Number(Number::UInt(u64::MAX)),
        Value::Text("built é"),
        arena.list([Value::Text("x"), Value::Null]),
        arena.object([("k", Value::Bool(true))]),
    ];
    parsed.chain(built).collect()
}

/// Values for one parameter as the evaluator would let them through.
fn accepted<'a>(parameter: &Parameter, pool: &[Value<'a>], pick: usize) -> Option<Value<'a>> {
    let optional = parameter.presence == Presence::Optional;
    let fitting: Vec<_> = match parameter.accepts {
        Accepts::Kinds(kinds) => pool
            .iter()
            .copied()
            .filter(|value| kinds.has(value.kind()) || optional && value.is_missing())
            .collect(),
        Accepts::Word(words) => words.iter().map(|word| Value::Text(word)).collect(),
        Accepts::Literal(LiteralUse::TimeFormat) if optional && pick.is_multiple_of(2) => {
            vec![Value::Missing]
        }
        Accepts::Literal(LiteralUse::TimeFormat) => vec![Value::Text("%Y-%m-%d %H:%M:%S")],
        Accepts::Literal(_) | Accepts::Lambda => vec![Value::Missing],
    };
    fitting.get(pick.checked_rem(fitting.len())?).copied()
}

fn call<'a>(function: &Builtin, cx: &Cx<'a, '_>, args: &[Value<'a>], lambda: usize) -> Outcome<'a> {
    match function.call {
        Call::Plain(run) => run(cx, args),
        Call::Regex(run) => {
            let patterns = ["", "a|b", r"(?P<year>\d+)-(\d+)?", r"\w*"];
            run(
                cx,
                args,
                &regex::Regex::new(patterns[lambda % patterns.len()]).unwrap(),
            )
        }
        Call::Table(run) => run(cx, args, &examples::tables().last().unwrap().1),
        Call::Lambda(run) => run(cx, args, &mut |item, index| {
            Ok(match lambda % 4 {
                0 => item,
                1 => Value::Missing,
                2 => Value::Bool(index % 2 == 0),
                _ => Value::Number(Number::Int(i64::try_from(index).unwrap())),
            })
        }),
    }
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_argument_makes_a_function_panic_or_break_what_its_row_says(
        which in 0_usize..functions().count(),
        picks in prop::collection::vec(0_usize..1000, 6),
        lambda in 0_usize..12,
    ) {
        let function = functions().nth(which).unwrap();
        let (arena, budget) = (Arena::new(), Budget::new(1));
        let pool = pool(&arena);
        let last = function.parameters.last();
        let repeats = last.filter(|last| matches!(last.presence, Presence::Repeated | Presence::AnyNumber));
        let more = repeats.into_iter().cycle().take(lambda % 3);
        let args: Option<Vec<_>> = function.parameters.iter().chain(more)
            .zip(&picks)
            .map(|(parameter, pick)| accepted(parameter, &pool, *pick))
            .collect();
        prop_assume!(args.is_some());
        let args = args.unwrap();
        let result = call(function, &Cx::new(&arena, &budget), &args, lambda);
        match result {
            Ok(value) => prop_assert!(
                function.returns.has(value.kind()),
                "{}{args:?} gave {value:?}", function.name
            ),
            Err(CallError::Own { code, message }) => {
                let limited = matches!(code, Code::OutOfFuel | Code::OutputTooLarge);
                prop_assert!(
                    limited || function.fails.is_some(),
                    "{}{args:?} cannot fail, and: {message}", function.name
                );
                let worded = !message.is_empty() && !message.ends_with('.');
                prop_assert!(worded || code == Code::Raised, "{message}");
            }
            Err(CallError::Inner(_)) => prop_assert!(false, "no lambda here fails"),
        }
    }

    #[test]
    fn what_is_built_can_be_written_and_read_again(
        which in 0_usize..functions().count(),
        picks in prop::collection::vec(0_usize..1000, 6),
        lambda in 0_usize..12,
    ) {
        let function = functions().nth(which).unwrap();
        let (arena, budget) = (Arena::new(), Budget::new(1));
        let pool = pool(&arena);
        let args: Option<Vec<_>> = function.parameters.iter()
            .zip(&picks)
            .map(|(parameter, pick)| accepted(parameter, &pool, *pick))
            .collect();
        prop_assume!(args.is_some());
        let result = call(function, &Cx::new(&arena, &budget), &args.unwrap(), lambda);
        if let Ok(value) = result && value.kind() != Kind::Missing {
            let mut json = Vec::new();
            value::write(value, &mut json);
            let arena = Arena::new();
            let again = value::parse(&json, ParseLimits::default(), &arena);
            prop_assert!(again.is_ok(), "{}: {again:?}", String::from_utf8_lossy(&json));
        }
    }

    #[test]
    fn encodings_are_undone(text in "\\PC{0,60}") {
        let document = serde_json::to_string(&text).unwrap();
        for there_and_back in [
            "$ | base64 | unbase64",
            "$ | base64(\"url\") | unbase64",
            "$ | url_encode | url_decode",
            "$ | json | parse_json",
        ] {
            prop_assert_eq!(super::run_with(there_and_back, &document), document.clone());
        }
    }

    #[test]
    fn sorting_keeps_every_item_and_is_idempotent(items in prop::collection::vec(0_usize..JSON.len(), 0..30)) {
        let items: Vec<_> = items.iter().map(|n| JSON[*n]).collect();
        let document = format!("[{}]", items.join(","));
        prop_assert_eq!(
            super::run_with("$ | sort | sort", &document),
            super::run_with("$ | sort", &document)
        );
        prop_assert_eq!(super::run_with("$ | sort | count", &document), items.len().to_string());
        prop_assert_eq!(
            super::run_with("$ | unique | unique", &document),
            super::run_with("$ | unique", &document)
        );
    }
}
