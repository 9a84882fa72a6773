//! Every limit at its edge.

use super::run;
use super::run_with;

const TEXT_BYTES_MAX: usize = 1 << 20;

#[test]
fn a_text_has_a_mebibyte_and_not_a_byte_more() {
    let longest = format!("\"x\" | pad({TEXT_BYTES_MAX}) | byte_length");
    assert_eq!(run(&longest), TEXT_BYTES_MAX.to_string());
    let longer = format!("\"x\" | pad({}) | byte_length", TEXT_BYTES_MAX + 1);
    assert_eq!(
        run(&longer),
        "error: TW0605 `pad` gives more than 1048576 bytes of text"
    );
}

#[test]
fn json_is_measured_before_it_is_written() {
    // A thousand times one half of the document: half a gigabyte if it were written.
    let big = format!(
        "{{\"text\":\"{}\",\"n\":[{}1]}}",
        "x".repeat(500_000),
        "1,".repeat(999)
    );
    let gives = run_with("$.n | map(x => $.text) | json | byte_length", &big);
    assert_eq!(
        gives,
        "error: TW0605 `json` gives more than 1048576 bytes of text"
    );
    assert_eq!(run_with("$ | json | byte_length", &big), "502017");
}

#[test]
fn fuel_ends_what_would_take_too_long() {
    let items = vec!["1"; 2000].join(",");
    let document = format!("{{\"n\":[{items}]}}");
    let squared = run_with("$.n | map(x => $.n | sum) | sum", &document);
    assert!(squared.starts_with("error: TW0601"), "{squared}");
    assert_eq!(run_with("$.n | sum", &document), "2000");
    let same = vec!["{\"a\":[1]}"; 5000].join(",");
    let same = format!("{{\"o\":[{same}]}}");
    assert_eq!(run_with("$.o | unique | count", &same), "1");
    let different: Vec<_> = (0..5000).map(|n| format!("{{\"a\":{n}}}")).collect();
    let different = format!("{{\"o\":[{}]}}", different.join(","));
    assert!(run_with("$.o | unique | count", &different).starts_with("error: TW0601"));
}

#[test]
fn many_keys_and_items_stay_affordable() {
    let members: Vec<_> = (0..20_000).map(|n| format!("\"k{n}\":{n}")).collect();
    let document = format!("{{{}}}", members.join(","));
    assert_eq!(run_with("$ | merge($) | count", &document), "20000");
    assert_eq!(
        run_with("$ | map_keys(k => k | suffix(1)) | count", &document),
        "10"
    );
    assert_eq!(
        run_with("$ | keys | sort | unique | count", &document),
        "20000"
    );
    assert_eq!(
        run_with("$ | values | group_by(v => v % 7) | count", &document),
        "7"
    );
}

#[test]
fn values_deeper_than_any_document_are_refused() {
    let nested = format!("{}1{}", "{\"a\":".repeat(64), "}".repeat(64));
    assert_eq!(run_with("$ | flatten_object | count", &nested), "1");
    assert_eq!(
        run_with("$ | map_leaves(x => x + 1) | json | byte_length", &nested),
        "385"
    );
    let deeper = format!("\"{}{}\"", "[".repeat(65), "]".repeat(65));
    assert_eq!(
        run_with("$ | parse_json", &deeper),
        "error: TW0602 `parse_json` cannot read it as JSON: nested deeper than 64 levels at byte 64"
    );
}

// Looking back or ahead for each of these would take minutes, and this a moment.
#[test]
fn hostile_text_is_gone_through_once() {
    for (text, function, expected) in [
        ("</x", "strip_html | length", "0"),
        ("<script></x", "strip_html | length", "0"),
        ("<!-", "strip_html | length", "0"),
        ("&#", "strip_html | length", "400000"),
        ("< ", "strip_html | length", "399999"),
        ("%", "url_decode | length", "200000"),
        ("a@", "is_email", "false"),
        ("aB", "snake | length", "600000"),
        ("9", "unix_time", "missing"),
        ("1,", "amount catch 0", "0"),
    ] {
        let long = format!("\"{}\"", text.repeat(200_000));
        assert_eq!(
            run_with(&format!("$ | {function}"), &long),
            expected,
            "{text}"
        );
    }
}
