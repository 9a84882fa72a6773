//! URLs and query strings.

use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::percent_decode_str;
use percent_encoding::utf8_percent_encode;

use crate::expr::builtins::arguments::argument;
use crate::expr::builtins::arguments::unreadable;
use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::call::TextOut;
use crate::expr::builtins::members::Members;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::OBJECT;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::TEXT;
use crate::expr::builtins::text::count;
use crate::value::Kind;
use crate::value::Value;

/// Everything but the unreserved characters of RFC 3986, section 2.3.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const PATH: &AsciiSet = &COMPONENT.remove(b'/');
const SUBJECT: Parameter = Parameter::new("text", TEXT);
const PARTS: &[&str] = &["component", "path"];

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::Encoding, name, Call::Plain(call)).takes(&[SUBJECT])
}

pub(super) const TABLE: &[Builtin] = &[
    function("url_encode", url_encode)
        .about(
            "The text percent-encoded: all but letters, digits and `-._~`; as `path`, also not \
             `/`.",
        )
        .takes(&[SUBJECT, Parameter::word("part", PARTS)])
        .shows(&[
            (r#""a b/ü" | url_encode"#, r#""a%20b%2F%C3%BC""#),
            (r#""a b/ü" | url_encode("path")"#, r#""a%20b/%C3%BC""#),
        ]),
    function("url_decode", url_decode)
        .about(
            "The text with its percent-encoding resolved. `+` stays: only in a query does it mean \
             a blank.",
        )
        .fails_if("what comes out is no UTF-8")
        .shows(&[(r#""a%20b+%C3%BC" | url_decode"#, r#""a b+ü""#), (r#""%FF" | url_decode"#, "error")]),
    function("query_string", query_string)
        .about(
            "The members of an object as a query string, without `?`. Lists repeat their key, null is \
             left out, other objects need `flatten_object` or `json` first.",
        )
        .takes(&[Parameter::new("object", OBJECT)])
        .fails_if("an object is in it, or a list in a list")
        .shows(&[
            (r#"$ | pick("event", "tags") | query_string"#, r#""event=order_completed&tags=vip&tags=beta&tags=vip""#),
            (r#"$ | pick("email") | query_string"#, r#""email=%20Ann%40Example.com%20""#),
            ("$ | query_string", "error"),
        ]),
    function("parse_query", parse_query)
        .about(
            "The object that a query string, with or without `?`, stands for. A key that stands \
             there several times has a list.",
        )
        .gives(OBJECT)
        .fails_if("what comes out is no UTF-8")
        .shows(&[
            (r#""?q=a+b&tag=x&tag=y&flag" | parse_query"#, r#"{"q":"a b","tag":["x","y"],"flag":""}"#),
            (r#""" | parse_query"#, "{}"),
        ]),
    function("parse_url", parse_url)
        .about(
            "The parts of an absolute URL: `scheme` and `host` in lower case, `domain` (the host \
             without `www.`), `port`, `path`, `query`, `params` (the query as an object) and \
             `fragment`; what it does not have is left out. User names and passwords are not passed on.",
        )
        .gives(OBJECT)
        .fails_if("it has no scheme and host, or its port is no number")
        .shows(&[
            (
                r#""https://www.Example.com:8443/shop?utm_source=ad#top" | parse_url"#,
                r#"{"scheme":"https","host":"www.example.com","domain":"example.com","port":8443,"path":"/shop","query":"utm_source=ad","params":{"utm_source":"ad"},"fragment":"top"}"#,
            ),
            (r#""https://example.com" | parse_url | get("path")"#, r#""/""#),
            (r#""/shop" | parse_url"#, "error"),
        ]),
];

fn url_encode<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let set = if cx.text_or(args, 1, "component")? == "path" {
        PATH
    } else {
        COMPONENT
    };
    let mut out = cx.text();
    out.print(utf8_percent_encode(cx.text_at(args, 0)?, set))?;
    out.value()
}

fn url_decode<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    decoded(cx, cx.text_at(args, 0)?).map(Value::Text)
}

fn decoded<'a>(cx: &Cx<'a, '_>, text: &'a str) -> Result<&'a str, CallError> {
    if !text.contains('%') {
        return Ok(text);
    }
    let mut bytes = cx.arena.vec_with_capacity(text.len());
    bytes.extend(percent_decode_str(text));
    std::str::from_utf8(bytes.into_bump_slice())
        .map_err(|_| unreadable("percent-encoded UTF-8", Value::Text(text)))
}

fn query_string<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut out = cx.text();
    for (key, value) in argument(args, 0).entries(cx.arena) {
        let alone = std::iter::once(value).filter(|value| value.kind() != Kind::List);
        for value in value.items().chain(alone).filter(|value| !value.is_null()) {
            if !out.is_empty() {
                out.push('&')?;
            }
            push_pair(&mut out, key, cx.scalar(value)?)?;
        }
    }
    out.value()
}

fn push_pair(out: &mut TextOut<'_, '_>, key: &str, value: &str) -> Result<(), CallError> {
    out.print(utf8_percent_encode(key, COMPONENT))?;
    out.push('=')?;
    out.print(utf8_percent_encode(value, COMPONENT))
}

fn parse_query<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let text = cx.text_at(args, 0)?;
    parameters(cx, text.strip_prefix('?').unwrap_or(text))
}

fn parameters<'a>(cx: &Cx<'a, '_>, query: &'a str) -> Outcome<'a> {
    let mut members = Members::new(cx);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        members.push(unescaped(cx, key)?, Value::Text(unescaped(cx, value)?))?;
    }
    members.combined(|_, values| {
        Ok(match values {
            [only] => *only,
            several => Value::List(several),
        })
    })
}

/// A key or value of a query: percent-decoded, `+` for a blank.
fn unescaped<'a>(cx: &Cx<'a, '_>, text: &'a str) -> Result<&'a str, CallError> {
    let mut text = text;
    if text.contains('+') {
        let mut out = cx.text();
        text.chars()
            .try_for_each(|char| out.push(if char == '+' { ' ' } else { char }))?;
        text = out.finish()?;
    }
    decoded(cx, text)
}

fn parse_url<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let text = cx.text_at(args, 0)?.trim();
    let refused = || unreadable("an absolute URL", argument(args, 0));
    let (scheme, behind) = text.split_once("://").ok_or_else(refused)?;
    let is_scheme = scheme.starts_with(|char: char| char.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let (behind, fragment) = optional_part(behind, '#');
    let (behind, query) = optional_part(behind, '?');
    let path_at = behind.find('/').unwrap_or(behind.len());
    let (authority, path) = behind.split_at_checked(path_at).unwrap_or((behind, ""));
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let port = match port {
        "" => Value::Missing,
        digits => count(digits.parse::<u16>().map_err(|_| refused())?.into()),
    };
    if !is_scheme || host.is_empty() {
        return Err(refused());
    }
    let (scheme, host) = (lower(cx, scheme), lower(cx, host));
    Ok(cx.arena.object([
        ("scheme", Value::Text(scheme)),
        ("host", Value::Text(host)),
        (
            "domain",
            Value::Text(host.strip_prefix("www.").unwrap_or(host)),
        ),
        ("port", port),
        (
            "path",
            Value::Text(if path.is_empty() { "/" } else { path }),
        ),
        ("query", query.map_or(Value::Missing, Value::Text)),
        (
            "params",
            query.map_or(Ok(Value::Missing), |query| parameters(cx, query))?,
        ),
        ("fragment", fragment.map_or(Value::Missing, Value::Text)),
    ]))
}

fn optional_part(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark)
        .map_or((text, None), |(before, part)| (before, Some(part)))
}

fn lower<'a>(cx: &Cx<'a, '_>, text: &'a str) -> &'a str {
    if !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return text;
    }
    let mut lower = cx.arena.string();
    lower.push_str(text);
    lower.make_ascii_lowercase();
    lower.into_bump_str()
}
