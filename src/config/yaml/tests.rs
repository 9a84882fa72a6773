//! What is read from YAML, and that positions survive every style.

use proptest::prelude::*;

use super::Data;
use super::Node;
use super::parse;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostics;
use crate::text::Excerpt;
use crate::text::SourceFile;
use crate::text::Sources;

fn read(text: &str) -> (Sources, Option<Node>, Diagnostics) {
    let mut sources = Sources::default();
    let id = sources.add(SourceFile::new("f.yaml", text));
    let file = sources.file(id).unwrap().clone();
    let mut diagnostics = Diagnostics::default();
    let node = parse(id, &file, &mut diagnostics);
    (sources, node, diagnostics)
}

fn codes(text: &str) -> Vec<Code> {
    let (_, _, diagnostics) = read(text);
    diagnostics
        .sorted()
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect()
}

/// The place of the first error as `line:column`.
fn place(text: &str) -> String {
    let (sources, _, diagnostics) = read(text);
    let span = diagnostics.sorted().first().unwrap().span().unwrap();
    sources
        .file(span.file)
        .unwrap()
        .location(span.start)
        .to_string()
}

fn excerpt(text: &str) -> (Sources, Excerpt) {
    let (sources, node, diagnostics) = read(text);
    assert!(diagnostics.is_empty(), "{text:?}: {diagnostics:?}");
    let node = node.unwrap();
    let value = &node.get("k").unwrap().value;
    (
        sources,
        value
            .text()
            .unwrap_or_else(|| panic!("{text:?} is {}", value.kind()))
            .clone(),
    )
}

/// Every `X` of the decoded text must come from an `X` of the file, and in order.
fn markers_are_exact(text: &str) {
    let (sources, excerpt) = excerpt(text);
    let found: Vec<_> = excerpt
        .text()
        .match_indices('X')
        .map(|(at, _)| excerpt.span(at, at + 1))
        .map(|span| (span.start, sources.text(span).to_owned()))
        .collect();
    let wanted: Vec<_> = text
        .match_indices('X')
        .map(|(at, x)| (u32::try_from(at).unwrap(), x.to_owned()))
        .collect();
    assert_eq!(found, wanted, "{text:?}");
}

#[test]
fn every_byte_of_a_scalar_knows_its_place_in_all_styles() {
    for text in [
        "k: =aX",
        "k: üX éX",
        "k: one\n  twoX\n\n  threeX\n",
        "k: 'it''s X'\n",
        "k: 'a\n\n\n  X'\n",
        "k: \"\\\"X\\\" \\u00e9X \\x41X \\U0001F600X\"\n",
        "k: \"a \\\n   X b\\\n\n  X\"\n",
        "k: \"a  \n  X\\tX\"\n",
        "k: |\n  a X\n   X\n\n  X\n",
        "k: |2-\n    X\n  X",
        "k: |+ # note\n  X\n\n\nl: 1\n",
        "k: >\n  aX\n  bX\n\n  cX\n    dX\n  eX\n",
        "k: >-\n\n  X\n  X",
        "k: |\n\n\n  X\n",
        "k: &anchor X",
        "k:\n    - 1\nj: {k: X}\n"
            .split_once("j: ")
            .unwrap()
            .1
            .trim_matches(['{', '}', '\n']),
        "k: |\r\n  aX\r\n  X\r\n",
        "k: one\r\n  X\r\n",
        "l:\n  - m\nk: >\n  X\n \n  X\n",
    ] {
        markers_are_exact(text);
    }
}

#[test]
fn types_are_those_of_serde_yaml_and_numbers_keep_their_text() {
    let (_, node, diagnostics) = read(
        "a: 99.50\nb: 0x1f\nc: 123456789012345678901\nd: yes\ne: 0755\nf: ~\ng: true\nh: \"1\"\ni: 1e3\nj: .5\n",
    );
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let node = node.unwrap();
    let shown: Vec<_> = "abcdefghij"
        .chars()
        .map(
            |key| match &node.get(&key.to_string()).unwrap().value.data {
                Data::Number(text) => format!("number {text}"),
                Data::Text(text) => format!("text {}", text.text()),
                other => format!("{other:?}"),
            },
        )
        .collect();
    assert_eq!(
        shown,
        [
            "number 99.50",
            "number 31",
            "number 123456789012345678901",
            "text yes",
            "text 0755",
            "Null",
            "Bool(true)",
            "text 1",
            "number 1e3",
            "number 0.5"
        ]
    );
    assert_eq!(
        codes("a: .inf\nb: .nan\n"),
        [Code::InvalidValue, Code::InvalidValue]
    );
}

#[test]
fn structural_mistakes_have_their_own_codes() {
    assert_eq!(codes(""), [Code::EmptyFile]);
    assert_eq!(codes("# only a comment\n"), [Code::EmptyFile]);
    assert_eq!(
        codes("a: 1\nb: 2\na: 3\nc: {d: 1, 'd': 2}\n"),
        [Code::DuplicateKey, Code::DuplicateKey]
    );
    assert_eq!(codes("1: a\n'1': b\n"), [Code::DuplicateKey]);
    assert_eq!(codes("a: &x {b: 1}\nc: {<<: *x}\n"), [Code::MergeKey]);
    assert_eq!(codes("? [a]\n: b\n"), [Code::WrongType]);
    assert_eq!(codes("a: !!str 1\n"), [Code::YamlSyntax]);
    assert_eq!(codes("a: 1\n---\nb: 2\n"), [Code::YamlSyntax]);
    assert_eq!(codes("a: &x [*x]\n"), [Code::YamlSyntax]);
    assert_eq!(codes("a: \"x\n"), [Code::YamlSyntax]);
    assert_eq!(place("a:\n\tb: 1\n"), "2:1");
    assert_eq!(place("a: 1\nb: [1, 2\nc: 3\n"), "3:2");
}

#[test]
fn limits_hold_at_their_edges() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(codes(&nested(super::DEPTH_MAX)), []);
    assert_eq!(codes(&nested(super::DEPTH_MAX + 1)), [Code::ConfigTooLarge]);
    assert_eq!(codes(&nested(5_000)), [Code::ConfigTooLarge]);

    let deep = nested(super::DEPTH_MAX - 3);
    assert_eq!(codes(&format!("a: &x {deep}\nb: [[*x]]\n")), []);
    assert_eq!(
        codes(&format!("a: &x {deep}\nb: [[[*x]]]\n")),
        [Code::ConfigTooLarge]
    );

    let list = |items: usize| format!("[{}]", vec!["1"; items].join(","));
    assert_eq!(codes(&list(super::NODES_MAX - 1)), []);
    assert_eq!(codes(&list(super::NODES_MAX)), [Code::ConfigTooLarge]);

    let aliases =
        |uses: usize| format!("a: &x {}\nb: [{}]\n", list(99), vec!["*x"; uses].join(","));
    assert_eq!(codes(&aliases(super::ALIAS_NODES_MAX / 100)), []);
    assert_eq!(
        codes(&aliases(super::ALIAS_NODES_MAX / 100 + 1)),
        [Code::ConfigTooLarge]
    );
    let bomb = (1..60).fold("a0: &a0 [1,1]\n".to_owned(), |text, n| {
        format!("{text}a{n}: &a{n} [*a{m},*a{m}]\n", m = n - 1)
    });
    assert_eq!(codes(&bomb), [Code::ConfigTooLarge]);

    let comment = |bytes: usize| format!("a: 1 #{}", "x".repeat(bytes - 6));
    assert_eq!(codes(&comment(super::FILE_BYTES_MAX)), []);
    assert_eq!(
        codes(&comment(super::FILE_BYTES_MAX + 1)),
        [Code::ConfigTooLarge]
    );
}

#[test]
fn an_expression_that_yaml_cut_is_quoted_by_the_fix() {
    for (text, fixed) in [
        (
            "m: {p: =f(\"t\", $.x), q: 1}\n",
            "m: {p: '=f(\"t\", $.x)', q: 1}\n",
        ),
        ("k: =$.x ~ \"a #b\" # why\n", "k: '=$.x ~ \"a #b\"' # why\n"),
        ("m: {b: =$.x[0], c: 1}\n", "m: {b: '=$.x[0]', c: 1}\n"),
        ("k: =$.x == \"a: b\"\n", "k: '=$.x == \"a: b\"'\n"),
        (
            "m: {=each: =$.x[*], b: 1}\n",
            "m: {=each: '=$.x[*]', b: 1}\n",
        ),
        ("- {a: {b: =$.x[*]}}\n", "- {a: {b: '=$.x[*]'}}\n"),
        ("k: [=f(1, 2), 3]\n", "k: ['=f(1, 2)', 3]\n"),
        ("m: {a: ='x' ~ f(a, b)}\n", "m: {a: '=''x'' ~ f(a, b)'}\n"),
    ] {
        let (_, node, diagnostics) = read(text);
        let found = diagnostics.sorted();
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].code, Code::YamlCutExpression, "{text}");
        let patch = found[0].help.as_ref().unwrap().patch.as_ref().unwrap();
        let mut patched = text.to_owned();
        patched.replace_range(
            patch.span.start as usize..patch.span.end as usize,
            &patch.replacement,
        );
        assert_eq!(patched, fixed);
        assert_eq!(codes(fixed), [], "{fixed}");
        drop(node);
    }
}

#[test]
fn a_cut_expression_is_read_as_it_was_meant_so_that_the_rest_can_be_checked() {
    let (_, node, _) = read("m: {p: =f(\"t\", $.x), q: 1}\n");
    let node = node.unwrap();
    let m = &node.get("m").unwrap().value;
    assert_eq!(
        m.get("p").unwrap().value.text().unwrap().text(),
        "=f(\"t\", $.x)"
    );
    let Data::Map(entries) = &m.data else {
        panic!("{m:?}")
    };
    assert_eq!(
        entries
            .iter()
            .map(|entry| entry.key.as_str())
            .collect::<Vec<_>>(),
        ["p", "q"]
    );
}

#[test]
fn a_comment_behind_a_whole_expression_is_a_comment() {
    assert_eq!(
        codes("k: =$.a | upper # shout\nm: {a: =f(1), b: =$.x}\n"),
        []
    );
}

/// A mapping `k: SCALAR` in one of the five styles around random pieces.
fn scalar() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("a".to_owned()),
        Just("é".to_owned()),
        Just("😀".to_owned()),
        Just(" ".to_owned()),
        Just("\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("b c".to_owned()),
        Just("#".to_owned()),
        Just("\\t".to_owned()),
        Just("''".to_owned()),
        Just("\\\"".to_owned()),
        Just("\\u00e9".to_owned()),
        Just("\\\n".to_owned()),
    ];
    (
        0..5_usize,
        proptest::collection::vec(piece, 1..12),
        1..4_usize,
        0..3_usize,
    )
        .prop_map(|(style, pieces, indent, chomp)| {
            let chomp = ["", "-", "+"][chomp];
            let pad = " ".repeat(indent);
            let body = pieces.concat().replace('\n', &format!("\n{pad}"));
            match style {
                0 => format!("k: x{body}\nz: 1\n"),
                1 => format!("k: '{body}'\nz: 1\n"),
                2 => format!("k: \"{body}\"\nz: 1\n"),
                3 => format!("k: |{chomp}\n{pad}{body}\nz: 1\n"),
                _ => format!("k: >{chomp}\n{pad}{body}\nz: 1\n"),
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_read_is_what_the_file_says_byte_by_byte(text in scalar()) {
        let (sources, node, _) = read(&text);
        let Some(node) = node else { return Ok(()) };
        let Some(excerpt) = node.get("k").and_then(|entry| entry.value.text()) else { return Ok(()) };
        // No fallback to the whole: the two decoders agree.
        let whole = excerpt.whole_span();
        prop_assert!(excerpt.text().trim().len() < 2 || excerpt.span(0, 0) != whole, "{text:?}");
        for (at, char) in excerpt.text().char_indices() {
            if char.is_alphabetic() && char.is_ascii() || char == '😀' {
                let span = excerpt.span(at, at + char.len_utf8());
                prop_assert!(sources.text(span).starts_with(char), "{text:?} at {at}");
            }
        }
    }
}
