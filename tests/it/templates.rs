//! Templates: what they build and what they write is the same, and what the directives mean.

use trackway::diagnostic::Code;
use trackway::diagnostic::Diagnostics;
use trackway::expr::EvalError;
use trackway::expr::Program;
use trackway::expr::Scope;
use trackway::expr::Template;
use trackway::expr::Vocabulary;
use trackway::expr::scope::Budget;
use trackway::expr::template::Member;
use trackway::expr::template::OnError;
use trackway::expr::template::SpreadKeys;
use trackway::text::Excerpt;
use trackway::text::SourceFile;
use trackway::text::Sources;
use trackway::value::Arena;
use trackway::value::ParseLimits;
use trackway::value::Value;
use trackway::value::parse;
use trackway::value::write;

const DOC: &str = r#"{"a":1.50,"b":{"c":"x","d":null},"list":[{"n":1},{},{"n":3}],"esc\u0061pe":"\u00e9","big":12345678901234567890,"none":null}"#;

/// The same members with white space between the tokens.
const SPACED: &str = r#"{ "a" : 1.50 , "b":{"c": "x","d":null}, "list" : [{"n":1}, {},{"n":3}], "esc\u0061pe":"\u00e9","big":12345678901234567890,"none" : null }"#;

#[test]
fn fields_stand_in_order_and_missing_ones_are_left_out() {
    let template = object([
        field("z", text("$.a")),
        field("gone", text("$.absent")),
        field("null", text("$.none")),
        field("x \"y\"", Template::Literal("[1,2]".to_owned())),
        field(
            "list",
            Template::List(vec![text("$.absent"), text("$.b.c"), text("null")]),
        ),
    ]);
    assert_eq!(
        made(&template),
        r#"{"z":1.50,"null":null,"x \"y\"":[1,2],"list":["x",null]}"#
    );
    assert_eq!(made(&text("$.absent")), "missing");
    assert_eq!(made(&object([])), "{}");
    assert_eq!(made(&Template::List(vec![text("$.absent")])), "[]");
}

#[test]
fn a_spread_copies_members_as_they_arrived() {
    let all = object([spread(&["$"], SpreadKeys::All)]);
    assert_eq!(made(&all), DOC);
    let keys = ["a", "escape", "nothing"].map(str::to_owned).to_vec();
    let only = object([spread(&["$"], SpreadKeys::Only(keys.clone()))]);
    let except = object([spread(&["$"], SpreadKeys::Except(keys))]);
    for (template, wanted) in [
        (only, vec!["a", "escape"]),
        (except, vec!["b", "list", "big", "none"]),
    ] {
        let json: serde_json::Value = serde_json::from_str(&made(&template)).unwrap();
        let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, wanted);
    }
}

#[test]
fn a_field_wins_over_every_spread_even_when_it_is_missing() {
    let template = object([
        spread(
            &["$"],
            SpreadKeys::Only(vec!["a".to_owned(), "big".to_owned(), "none".to_owned()]),
        ),
        field("a", text("2")),
        field("none", text("missing")),
    ]);
    assert_eq!(made(&template), r#"{"big":12345678901234567890,"a":2}"#);
}

#[test]
fn of_two_spread_objects_the_later_wins_where_it_stands() {
    let template = object([spread(
        &["$.b", "$.list[0]", "$.absent", "$.none", "$.b"],
        SpreadKeys::All,
    )]);
    assert_eq!(made(&template), r#"{"n":1,"c":"x","d":null}"#);
    let wrong = object([spread(&["$.a"], SpreadKeys::All)]);
    assert_eq!(
        failed(&wrong, OnError::DeadLetter).code,
        Code::WrongKindAtRunTime
    );
}

#[test]
fn a_loop_sees_the_item_and_its_number() {
    let value = object([field("n", text("@.n")), field("at", text("index"))]);
    let each = |list: &str, value: Template| Template::Each {
        list: program(list),
        value: Box::new(value),
    };
    assert_eq!(
        made(&each("$.list", value.clone())),
        r#"[{"n":1,"at":0},{"at":1},{"n":3,"at":2}]"#
    );
    assert_eq!(made(&each("$.list", text("@.n"))), "[1,3]");
    assert_eq!(made(&each("$.absent", value.clone())), "[]");
    assert_eq!(
        failed(&each("$.b", value), OnError::DeadLetter).code,
        Code::WrongKindAtRunTime
    );
    let nested = each("$.list", each("[1, 2]", text("index")));
    assert_eq!(made(&nested), "[[0,1],[0,1],[0,1]]");
}

#[test]
fn a_choice_builds_one_side_or_nothing() {
    let choice = |when: &str, otherwise: Option<Template>| Template::Choice {
        when: program(when),
        then: Box::new(text("1")),
        otherwise: otherwise.map(Box::new),
    };
    assert_eq!(made(&choice("$.a > 1", None)), "1");
    assert_eq!(made(&choice("$.a > 2", None)), "missing");
    assert_eq!(
        made(&choice(
            "$.absent",
            Some(Template::Literal("false".to_owned()))
        )),
        "false"
    );
    assert_eq!(
        failed(&choice("$.a", None), OnError::OmitField).code,
        Code::WrongKindAtRunTime
    );
}

#[test]
fn a_failing_field_is_left_out_or_fails_the_whole() {
    let template = object([
        field("a", text("$.a")),
        field(
            "bad",
            object([field("n", text("$.b.c | number")), field("m", text("1"))]),
        ),
        field("list", Template::List(vec![text("$.b + 1"), text("2")])),
    ]);
    assert_eq!(
        failed(&template, OnError::DeadLetter).code,
        Code::ConversionFailed
    );
    assert_eq!(
        failed(&template, OnError::Drop).code,
        Code::ConversionFailed
    );
    let kept = with_scope(DOC, |scope| both(&template, scope, OnError::OmitField));
    assert_eq!(kept.unwrap(), r#"{"a":1.50,"bad":{"m":1},"list":[2]}"#);
}

/// What it makes of the document, however that is written.
fn made(template: &Template) -> String {
    let [plain, spaced] = [DOC, SPACED]
        .map(|doc| with_scope(doc, |scope| both(template, scope, OnError::DeadLetter)).unwrap());
    assert_eq!(parsed(plain.as_bytes()), parsed(spaced.as_bytes()));
    plain
}

fn failed(template: &Template, on_error: OnError) -> EvalError {
    with_scope(DOC, |scope| both(template, scope, on_error)).unwrap_err()
}

/// What it writes, which must be what it builds.
fn both<'a>(
    template: &'a Template,
    scope: &Scope<'a>,
    on_error: OnError,
) -> Result<String, EvalError> {
    let mut out = b"before".to_vec();
    let written = template.write(scope, on_error, &mut out);
    let built = template.build(scope, on_error);
    let out = String::from_utf8(out).unwrap();
    let written_text = out.strip_prefix("before").unwrap();
    match (&written, &built) {
        (Ok(present), Ok(value)) => {
            let mut json = Vec::new();
            write(*value, &mut json);
            // A key that is spread may keep its escapes; that is all that may differ.
            assert_eq!(parsed(written_text.as_bytes()), parsed(&json));
            assert_eq!(*present, !value.is_missing());
        }
        (Err(one), Err(other)) => {
            assert_eq!(one, other);
            assert_eq!(written_text, "");
        }
        _ => panic!("{written:?} but {built:?}"),
    }
    written.map(|present| {
        if present {
            written_text.to_owned()
        } else {
            "missing".to_owned()
        }
    })
}

/// JSON that can be compared; nothing, for nothing.
fn parsed(json: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(json).ok()
}

fn with_scope<T>(doc: &str, run: impl FnOnce(&Scope<'_>) -> T) -> T
where
    T: 'static,
{
    let arena = Arena::new();
    let budget = Budget::new(1);
    run(&Scope {
        root: parse(doc.as_bytes(), ParseLimits::default(), &arena).unwrap(),
        item: Value::Missing,
        index: Value::Missing,
        variables: &[],
        arena: &arena,
        budget: &budget,
    })
}

fn program(text: &str) -> Program {
    let vocabulary = Vocabulary {
        root: Some("the document".to_owned()),
        item: Some("the item".to_owned()),
        ..Vocabulary::default()
    };
    let file = Sources::default().add(SourceFile::new("template", text));
    let mut diagnostics = Diagnostics::default();
    let source = Excerpt::contiguous(text, file, 0);
    Program::compile(&source, &vocabulary, &mut diagnostics).unwrap()
}

fn text(expression: &str) -> Template {
    Template::Expression(program(expression))
}

fn object<const N: usize>(members: [Member; N]) -> Template {
    Template::Object(members.into())
}

fn field(key: &str, value: Template) -> Member {
    let file = Sources::default().add(SourceFile::new("template", key));
    let span = Excerpt::contiguous(key, file, 0).whole_span();
    Member::Field {
        key: key.into(),
        span,
        value,
    }
}

fn spread(objects: &[&str], keys: SpreadKeys) -> Member {
    let objects = objects.iter().map(|object| program(object)).collect();
    Member::Spread { objects, keys }
}
