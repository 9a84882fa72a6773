//! What single functions do at their edges, beyond the examples of the reference.

use super::run;
use super::run_with;

/// Asserts what each expression gives; a result that starts with `error` is the whole message.
fn assert_all(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(run(expression), *expected, "{expression}");
    }
}

#[test]
fn unix_time_takes_what_the_track_api_sends_and_nothing_else() {
    let read = |timestamp: &str| run_with("$.t | unix_time", &format!("{{\"t\":{timestamp}}}"));
    for (timestamp, expected) in [
        ("0", "\"1970-01-01T00:00:00.000Z\""),
        ("1514764800", "\"2018-01-01T00:00:00.000Z\""),
        ("\"1514764800\"", "\"2018-01-01T00:00:00.000Z\""),
        ("1613063089.25", "\"2021-02-11T17:04:49.250Z\""),
        ("1613063089.0", "\"2021-02-11T17:04:49.000Z\""),
        ("1.6130630894567e9", "\"2021-02-11T17:04:49.457Z\""),
        ("253402300799", "\"9999-12-31T23:59:59.000Z\""),
        ("253402300799.999", "\"9999-12-31T23:59:59.999Z\""),
        ("253402300800", "missing"),
        ("253402300799.9996", "missing"),
        ("1613063089250", "missing"),
        ("\"1613063089250\"", "missing"),
        ("-1", "missing"),
        ("-0.001", "missing"),
        ("1e400", "missing"),
        ("99999999999999999999999", "missing"),
        ("null", "missing"),
        ("true", "missing"),
        ("\"\"", "missing"),
        ("\"yesterday\"", "missing"),
        ("\"2026-01-02T03:04:05Z\"", "missing"),
        ("\"1613063089.25\"", "missing"),
        ("\" 1613063089\"", "missing"),
        ("\"-5\"", "missing"),
        ("[1613063089]", "missing"),
        ("{}", "missing"),
    ] {
        assert_eq!(read(timestamp), expected, "{timestamp}");
    }
    assert_eq!(run("$.absent | unix_time"), "missing");
}

#[test]
fn messages_follow_the_name_of_the_function() {
    assert_all(&[
        (
            "$.event | int",
            "error: TW0602 `int` cannot read \"order_completed\" as a number",
        ),
        (
            "$.items | sum",
            "error: TW0604 `sum` needs a number, this is an object",
        ),
        (
            "[1, \"2\"] | sum",
            "error: TW0604 `sum` needs a number, \"2\" is a string",
        ),
        (
            "1767323045678 | from_unix",
            "error: TW0602 `from_unix` cannot read 1767323045678 as a moment in the years 0001 to 9999; \
             is it in another unit, then `from_unix_ms` or `detect_time`?",
        ),
        (
            "min(1, \"2\")",
            "error: TW0604 `min` cannot compare \"2\" with 1",
        ),
        (
            "\"ab\" | prefix(-1)",
            "error: TW0603 `prefix` needs a count from 0, this is -1",
        ),
        (
            "$.event | parse_json",
            "error: TW0602 `parse_json` cannot read it as JSON: unexpected 'o' at byte 0",
        ),
        ("$.absent ?? error(\"no user\")", "error: TW0607 no user"),
    ]);
}

#[test]
fn whole_numbers_stay_exact() {
    assert_all(&[
        ("9007199254740993 | int", "9007199254740993"),
        ("\"18446744073709551615\" | int", "18446744073709551615"),
        ("[9007199254740993, 1] | sum", "9007199254740994"),
        ("[18446744073709551615, -1] | sum", "18446744073709551614"),
        ("-9223372036854775808 | abs", "9223372036854775808"),
        ("[0.1, 0.2] | sum | round(2)", "0.3"),
        (
            "max(9007199254740993, 9007199254740992.0)",
            "9007199254740993",
        ),
    ]);
    assert!(run("[18446744073709551615, 1] | sum").starts_with("error: TW0603"));
    let digits = "{\"n\":12345678901234567890123}";
    assert_eq!(run_with("$.n | int", digits), "12345678901234567890123");
    assert_eq!(
        run_with("$.n | string", digits),
        "\"12345678901234567890123\""
    );
}

#[test]
fn rounding_is_that_of_the_written_number() {
    assert_all(&[
        ("2.675 | round(2)", "2.68"),
        ("-1.005 | round(2)", "-1.01"),
        ("0.5 | round", "1"),
        ("-0.4 | round", "0"),
        ("-0.001 | round(2)", "0"),
        ("99.999 | round(2)", "100"),
        ("1e300 | round(2)", "1e300"),
        ("1e21 | round", "1e21"),
        ("0.000000123456 | round(10)", "0.0000001235"),
        ("123456789.123456789 | round(8)", "123456789.12345679"),
    ]);
}

#[test]
fn numbers_are_read_strictly() {
    for text in [
        "0x10", "1_000", "1,5", ".5", "5.", "+5", "1e", "e5", "inf", "NaN", "--1", "1 2", "½",
    ] {
        assert!(
            run(&format!("\"{text}\" | number")).starts_with("error: TW0602"),
            "{text}"
        );
    }
    assert_all(&[
        ("\"007\" | int", "7"),
        ("\"-0.50\" | number", "-0.5"),
        ("\"1e3\" | int", "1000"),
    ]);
}

#[test]
fn sorting_is_stable_and_puts_absent_last() {
    assert_all(&[
        (
            "[[1], \"b\", true, 2, null, \"a\", 1.5, false, [0]] | sort",
            "[false,true,1.5,2,\"a\",\"b\",[1],[0],null]",
        ),
        (
            "$.items | sort_by(i => i.absent) | map(i => i.sku)",
            "[\"A-1\",\"B-2\"]",
        ),
        (
            "[\"b1\", \"a1\", \"b2\", \"a2\"] | sort_by(x => x | prefix(1))",
            "[\"a1\",\"a2\",\"b1\",\"b2\"]",
        ),
        (
            "[\"b1\", \"a1\", \"b2\", \"a2\"] | sort_by(x => x | prefix(1), \"descending\")",
            "[\"b1\",\"b2\",\"a1\",\"a2\"]",
        ),
        (
            "[now, 1, \"1\"] | sort | map(x => x | type_of)",
            "[\"int\",\"timestamp\",\"string\"]",
        ),
    ]);
}

#[test]
fn unique_compares_by_content() {
    let document = r#"{"l":[{"a":1,"b":2},{"b":2,"a":1},[1],[1.0],"x","\u0078",12345678901234567890123,12345678901234567890124]}"#;
    assert_eq!(
        run_with("$.l | unique", document),
        r#"[{"a":1,"b":2},[1],"x",12345678901234567890123,12345678901234567890124]"#
    );
}

#[test]
fn keys_stay_distinct_whatever_they_become() {
    assert_all(&[
        ("$.traits | map_keys(k => \"k\") | keys", "[\"k\"]"),
        (
            "$.traits | map_keys(k => if k == \"seats\" then \"plan\" else k) | get(\"plan\")",
            "3",
        ),
        (
            "$.traits | map_keys(k => index) | keys",
            "[\"0\",\"1\",\"2\"]",
        ),
        (
            "parse_json('{\"a\":{\"b\":1},\"a.b\":2}') | flatten_object",
            "{\"a.b\":2}",
        ),
        (
            "parse_json('{\"a\":1,\"b\":{\"x\":1}}') | deep_merge(parse_json('{\"b\":2}'), parse_json('{\"b\":{\"y\":1}}'))",
            "{\"a\":1,\"b\":{\"y\":1}}",
        ),
    ]);
}

#[test]
fn html_becomes_the_text_people_read() {
    let strip = |html: &str| run_with("$ | strip_html", &serde_json::to_string(html).unwrap());
    for (html, text) in [
        ("a<br>b<br/>c", "a b c"),
        ("<b>bo</b>ld", "bold"),
        ("<a title=\"1 > 0\" href='x'>link</a>", "link"),
        (
            "<style>p { color: red }</style>x<script>if (a < b) { c('</p>') }</script>y",
            "x y",
        ),
        ("<!-- no <b>text</b> -->yes", "yes"),
        (
            "&lt;b&gt; &#8364;&#x20AC; &nope; AT&T",
            "<b> €€ &nope; AT&T",
        ),
        ("5 < 6 and <7", "5 < 6 and <7"),
        ("<p>open", "open"),
        ("text <unclosed", "text"),
        ("<script>never closed", ""),
        ("", ""),
    ] {
        assert_eq!(strip(html), serde_json::to_string(text).unwrap(), "{html}");
    }
}

#[test]
fn urls_are_taken_apart() {
    assert_all(&[
        (
            "\"HTTPS://user:secret@[2001:db8::1]:443?a=1\" | parse_url",
            r#"{"scheme":"https","host":"[2001:db8::1]","domain":"[2001:db8::1]","port":443,"path":"/","query":"a=1","params":{"a":"1"}}"#,
        ),
        (
            "\"https://[2001:db8::1]/x\" | parse_url | get(\"host\")",
            "\"[2001:db8::1]\"",
        ),
        (
            "\"https://example.com/@x?q=a@b:c\" | parse_url | get(\"host\")",
            "\"example.com\"",
        ),
    ]);
    for text in [
        "example.com",
        "://x",
        "https://",
        "https://:80/",
        "https://x:99999",
        "mailto:a@b.c",
        "1a://x",
    ] {
        assert!(
            run(&format!("\"{text}\" | parse_url")).starts_with("error: TW0602"),
            "{text}"
        );
    }
}

#[test]
fn names_are_split_into_words() {
    assert_all(&[
        ("\"userID\" | snake", "\"user_id\""),
        ("\"already_snake_case\" | snake", "\"already_snake_case\""),
        ("\"  many   blanks \" | kebab", "\"many-blanks\""),
        ("\"ÄpfelUndÖl\" | snake", "\"äpfel_und_öl\""),
        ("\"v2Update\" | camel", "\"v2Update\""),
        ("\"___\" | snake", "\"\""),
    ]);
}

#[test]
fn replacements_fill_in_groups() {
    assert_all(&[
        ("\"abc\" | replace_pattern(r\"b\", '[$0]')", "\"a[b]c\""),
        (
            "\"abc\" | replace_pattern(r\"(?P<x>b)\", '${x}${x}$$$x1')",
            "\"abb$c\"",
        ),
        ("\"abc\" | replace_pattern(r\"x*\", '-')", "\"-a-b-c-\""),
        (
            "\"a\" | replace_pattern(r\"a\", '$ ${open')",
            "\"$ ${open\"",
        ),
    ]);
}

#[test]
fn calendars_count_as_people_do() {
    assert_all(&[
        (
            "\"2024-02-29\" | parse_time | add_time(\"1y\") | date",
            "\"2025-02-28\"",
        ),
        (
            "\"2026-01-01T00:00:00Z\" | start_of(\"week\") | date",
            "\"2025-12-29\"",
        ),
        (
            "\"1969-12-31T23:59:59.999Z\" | start_of(\"hour\") | unix_ms",
            "-3600000",
        ),
        ("\"1969-12-31T23:59:59.999Z\" | unix", "-1"),
        (
            "\"2026-08-15T10:00:00Z\" | start_of(\"month\") | date",
            "\"2026-08-01\"",
        ),
        (
            "\"2026-08-15T10:00:00Z\" | start_of(\"year\") | date",
            "\"2026-01-01\"",
        ),
        (
            "\"9999-12-31T23:59:59Z\" | format_time(\"%F %T\")",
            "\"9999-12-31 23:59:59\"",
        ),
        (
            "\"12/31/99\" | parse_time(\"%m/%d/%y\") | date",
            "\"1999-12-31\"",
        ),
        (
            "1767323045123456 | detect_time",
            "\"2026-01-02T03:04:05.123Z\"",
        ),
        (
            "1767323045123456789 | detect_time",
            "\"2026-01-02T03:04:05.123Z\"",
        ),
    ]);
    for expression in [
        "\"9999-12-31T23:59:59Z\" | add_time(\"1s\")",
        "\"9999-12-31T23:59:59Z\" | add_time(9e18)",
        "\"2026-01-02T00:00:00Z\" | add_time(\"9223372036854775807 hours\")",
        "\"2026-02-30\" | parse_time",
    ] {
        assert!(
            run(expression).starts_with("error: TW060"),
            "{expression}: {}",
            run(expression)
        );
    }
}

#[test]
fn a_format_that_no_time_can_have_is_refused_when_compiled() {
    assert!(super::super::check_time_format("%Y-%m-%dT%H:%M:%S%.3f%:z").is_ok());
    assert!(super::super::check_time_format("%!").is_err());
    assert!(run("now | format_time(\"%!\")").starts_with("error: not compiled"));
}
