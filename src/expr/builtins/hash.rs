//! Digests and ids. Deterministic all of them: the same call gives the same bytes in a replay.

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use sha2::Digest as _;
use sha2::Sha256;
use uuid::Uuid;

use crate::expr::builtins::arguments::argument;
use crate::expr::builtins::arguments::count_at;
use crate::expr::builtins::arguments::unreadable;
use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::INT;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::TEXT;
use crate::expr::builtins::text::count;
use crate::value::Value;

const SUBJECT: Parameter = Parameter::new("text", TEXT);
const ENCODING: Parameter = Parameter::word("encoding", &["hex", "base64"]);

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::Hash, name, Call::Plain(call)).takes(&[SUBJECT])
}

pub(super) const TABLE: &[Builtin] = &[
    function("sha256", sha256)
        .about("The SHA-256 digest of the text's UTF-8, in lower case hex unless `base64` is said.")
        .takes(&[SUBJECT, ENCODING])
        .shows(&[
            (r#""abc" | sha256"#, r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#),
            (r#""abc" | sha256("base64")"#, r#""ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=""#),
        ]),
    function("hash_unless_hashed", hash_unless_hashed)
        .about(
            "The SHA-256 digest in hex, as advertising APIs want personal data; a text that is one \
             already (64 hex digits) is only put in lower case. Normalise first: `trim`, `lower`.",
        )
        .shows(&[
            (
                "$.email | trim | lower | hash_unless_hashed",
                r#""71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476""#,
            ),
            (
                r#""BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD" | hash_unless_hashed"#,
                r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#,
            ),
        ]),
    function("hmac_sha256", hmac_sha256)
        .about(
            "The HMAC-SHA-256 of the text under a key, in lower case hex unless `base64` is said. For \
             text a destination checks; requests are signed by `sign:` of its definition.",
        )
        .takes(&[SUBJECT, Parameter::new("key", TEXT), ENCODING])
        .shows(&[
            (
                r#""what do ya want for nothing?" | hmac_sha256("Jefe")"#,
                r#""5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843""#,
            ),
            (r#""" | hmac_sha256("k", "base64") | length"#, "44"),
        ]),
    function("uuid", uuid)
        .about(
            "An id that no other call of `uuid` has and that stays the same when the event is rendered \
             again: version 5, from the record, the item and how often it was called before.",
        )
        .takes(&[])
        .shows(&[("uuid() | is_uuid", "true"), ("uuid() == uuid()", "false")]),
    function("uuid_v5", uuid_v5)
        .about(
            "The version 5 UUID of a name in a namespace: another UUID, or `dns`, `url`, `oid`, \
             `x500`.",
        )
        .takes(&[Parameter::new("name", TEXT), Parameter::new("namespace", TEXT)])
        .fails_if("the namespace is none")
        .shows(&[
            (r#""www.example.com" | uuid_v5("dns")"#, r#""2ed6657d-e927-568b-95e1-2665a8aea6a2""#),
            (r#""a" | uuid_v5("b")"#, "error"),
        ]),
    function("bucket", bucket)
        .about(
            "Which of `count` buckets the text falls into, from 0: evenly spread and always the same, \
             for samples (`$.userId | bucket(100) < 10` holds for a tenth of all users) and shards.",
        )
        .takes(&[SUBJECT, Parameter::new("count", INT)])
        .gives(INT)
        .fails_if("`count` is less than 1")
        .shows(&[(r#""u1" | bucket(1)"#, "0"), (r#""u1" | bucket(100)"#, "42"), (r#""u1" | bucket(0)"#, "error")]),
];

fn push_bytes<'a>(cx: &Cx<'a, '_>, bytes: &[u8], encoding: &str) -> Outcome<'a> {
    let mut out = cx.text();
    if encoding == "base64" {
        out.print(Base64Display::new(bytes, &STANDARD))?;
    } else {
        bytes
            .iter()
            .try_for_each(|byte| out.print(format_args!("{byte:02x}")))?;
    }
    out.value()
}

fn sha256<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let text = cx.text_at(args, 0)?;
    digest(cx, text, cx.text_or(args, 1, "hex")?)
}

fn digest<'a>(cx: &Cx<'a, '_>, text: &str, encoding: &str) -> Outcome<'a> {
    push_bytes(cx, &Sha256::digest(text), encoding)
}

fn hash_unless_hashed<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let text = cx.text_at(args, 0)?;
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_digest {
        return digest(cx, text, "hex");
    }
    let mut out = cx.text();
    text.chars()
        .try_for_each(|char| out.push(char.to_ascii_lowercase()))?;
    out.value()
}

fn hmac_sha256<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let (text, key) = (cx.text_at(args, 0)?, cx.text_at(args, 1)?);
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map_err(|error| CallError::conversion(error.to_string()))?;
    mac.update(text.as_bytes());
    push_bytes(
        cx,
        &mac.finalize().into_bytes(),
        cx.text_or(args, 2, "hex")?,
    )
}

fn uuid<'a>(cx: &Cx<'a, '_>, _: &[Value<'a>]) -> Outcome<'a> {
    let ordinal = cx.budget.uuids.get();
    cx.budget.uuids.set(ordinal.wrapping_add(1));
    print_uuid(
        cx,
        Uuid::new_v5(&Uuid::from_u128(cx.budget.seed), &ordinal.to_be_bytes()),
    )
}

fn print_uuid<'a>(cx: &Cx<'a, '_>, uuid: Uuid) -> Outcome<'a> {
    let mut out = cx.text();
    out.print(uuid.hyphenated())?;
    out.value()
}

/// A UUID in the one form that other systems take: five groups of hex digits.
pub(super) fn parse_uuid(text: &str) -> Option<Uuid> {
    const LENGTH: usize = 36;
    (text.len() == LENGTH)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}

fn uuid_v5<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let (name, namespace) = (cx.text_at(args, 0)?, cx.text_at(args, 1)?);
    let namespace = match namespace {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => parse_uuid(other).ok_or_else(|| {
            unreadable("a UUID or `dns`, `url`, `oid`, `x500`", argument(args, 1))
        })?,
    };
    print_uuid(cx, Uuid::new_v5(&namespace, name.as_bytes()))
}

fn bucket<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let text = cx.text_at(args, 0)?;
    let buckets = count_at(args, 1)? as u64;
    let head = Sha256::digest(text)
        .iter()
        .take(8)
        .fold(0, |sum: u64, byte| (sum << 8) | u64::from(*byte));
    let bucket = head
        .checked_rem(buckets)
        .ok_or_else(|| CallError::arithmetic("needs at least one bucket"))?;
    Ok(count(usize::try_from(bucket).unwrap_or(usize::MAX)))
}
