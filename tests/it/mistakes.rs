//! What people are told about expressions they mistyped: the words, reviewed as prose, and the fixes,
//! tried.

use trackway::diagnostic::Diagnostics;
use trackway::diagnostic::Patch;
use trackway::diagnostic::Severity;
use trackway::diagnostic::render::Style;
use trackway::diagnostic::render::render;
use trackway::expr::Kinds;
use trackway::expr::Program;
use trackway::expr::Variable;
use trackway::expr::Vocabulary;
use trackway::text::Excerpt;
use trackway::text::SourceFile;
use trackway::text::Sources;
use trackway::value::Kind;

/// Habits of JavaScript, C, SQL, Liquid, jq and others.
const HABITS: &[&str] = &[
    "$.a && $.b",
    "$.a || $.b",
    "!$.a",
    "$.a = 1",
    "$.a === 1",
    "$.a !== 1",
    "$.a <> 1",
    "$.a =~ \"x\"",
    "$.a ? 1 : 2",
    "$.a?.b",
    "{{ $.a }}",
    "\"Dear {{ $.a }}\"",
    "${env:HOME}",
    ".a.b",
    "$.a | map(x -> x.b)",
    "{a: 1}",
    "$.a AND $.b",
    "$.a like \"x*\"",
    "$.a contains \"x\"",
    "$.a // 1",
    "`a`",
    "\u{201c}a\u{201d}",
    "$.a.lower()",
    "$.a.split(\",\")",
    "$.a is text",
    "$.a is empty",
    "undefined",
    "if $.a then 1",
    "if $.a then 1 elif $.b then 2 else 3",
    "1 < $.a < 3",
    "$.a; $.b",
];

/// Slips within the language itself.
const SLIPS: &[&str] = &[
    "",
    "$.a ==",
    "$.a 1",
    "($.a",
    "$.a)",
    "[1, 2)",
    "\"a",
    "'a",
    "\"a { b\"",
    "\"{}\"",
    "\"{$.a b}\"",
    "\"\\d\"",
    "$.a | number + 1",
    "$.order-id == 1",
    "$.first name",
    "nwo",
    "$.a | uper",
    "$.a | upcase",
    "$.a | replace(\"x\")",
    "$.a | replace(\"x\", wiht=\"z\")",
    "$.a | sort(\"descendign\")",
    "(op | length) | upper",
    "op + 1",
    "op == 3",
    "op ?? \"x\"",
    "op catch \"x\"",
    "1 / 0",
    "$.a ~ \"{x,y}\"",
    "$.a ~ '[x'",
    "12345678901234567890123",
    "settings.token | sha256",
    "settings",
    "settings.regoin",
    "@.a",
    "lookup(plans, $.a)",
];

/// Paths that are no JSONPath.
const PATHS: &[&str] = &[
    "$a",
    "$.",
    "$..",
    "$.a.0",
    "$.a.[0]",
    "$.a[]",
    "$.a[1 + 1]",
    "$.a[?b > 1]",
    "$.a[?@.b = 1]",
    "$.a[?@.b and @.c]",
    "$.a[?@.b in [1]]",
    "$.a[?in(@.b, [1])]",
    "$.a[?lenght(@.b) > 1]",
    "$.a[?length(@.*) > 1]",
    "$.a[?@.b =~ /x/]",
    "$['a",
    "$.a\u{a0}== 1",
];

#[test]
fn habits_of_other_languages_get_our_way_to_write_it() {
    insta::assert_snapshot!(told(HABITS));
}

#[test]
fn slips_are_explained() {
    insta::assert_snapshot!(told(SLIPS));
}

#[test]
fn paths_that_are_no_jsonpath_are_explained() {
    insta::assert_snapshot!(told(PATHS));
}

/// A fix that is offered must help: what it was offered for is not found again.
#[test]
fn every_fix_helps() {
    for text in HABITS.iter().chain(SLIPS).chain(PATHS) {
        let (found, _) = compile(text);
        for diagnostic in found.iter() {
            let Some(patch) = diagnostic
                .help
                .as_ref()
                .and_then(|help| help.patch.as_ref())
            else {
                continue;
            };
            let fixed = apply(text, patch);
            let (left, _) = compile(&fixed);
            let again = left.iter().any(|it| it.code == diagnostic.code);
            assert!(!again, "{text}\n{fixed}\n{:?}", diagnostic.message);
        }
    }
}

#[test]
fn all_mistakes_are_found_in_one_run() {
    let (found, _) = compile("oops + ($.a | uper) + (op == 3)");
    assert_eq!(found.count(Severity::Error), 4, "{found:?}");
}

fn apply(text: &str, patch: &Patch) -> String {
    let (start, end) = (patch.span.start as usize, patch.span.end as usize);
    let mut fixed = text.to_owned();
    fixed.replace_range(start..end, &patch.replacement);
    fixed
}

fn told(texts: &[&str]) -> String {
    let told = texts.iter().map(|text| {
        let (found, sources) = compile(text);
        assert!(!found.is_empty(), "{text} is no mistake");
        render(&found, &sources, Style::Plain)
    });
    told.collect::<Vec<_>>().join("\n")
}

fn compile(text: &str) -> (Diagnostics, Sources) {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("=", text));
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
        root: Some("the body of the call".to_owned()),
        members: [(
            "settings".to_owned(),
            vec!["region".to_owned(), "token".to_owned()],
        )]
        .into(),
        secrets: vec!["token".to_owned()],
        ..Vocabulary::default()
    };
    let mut diagnostics = Diagnostics::default();
    let source = Excerpt::contiguous(text, file, 0);
    let program = Program::compile(&source, &vocabulary, &mut diagnostics);
    assert_eq!(program.is_none(), diagnostics.has_errors(), "{text}");
    (diagnostics, sources)
}
