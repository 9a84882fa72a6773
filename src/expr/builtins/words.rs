//! Names in the ways systems write them: `order_completed`, `Order Completed`, `orderCompleted`.

use crate::expr::builtins::call::Call;
use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::expr::builtins::call::TextOut;
use crate::expr::builtins::signature::Builtin;
use crate::expr::builtins::signature::Family;
use crate::expr::builtins::signature::Parameter;
use crate::expr::builtins::signature::TEXT;
use crate::value::Value;

const SUBJECT: Parameter = Parameter::new("text", TEXT);

const fn function(
    name: &'static str,
    call: for<'a> fn(&Cx<'a, '_>, &[Value<'a>]) -> Outcome<'a>,
) -> Builtin {
    Builtin::new(Family::Text, name, Call::Plain(call)).takes(&[SUBJECT])
}

pub(super) const TABLE: &[Builtin] = &[
    function("title", title)
        .about(
            "The text with the first letter behind every white space in upper case. All else stays as \
             it is: `lower` first if it should not.",
        )
        .shows(&[
            (r#"$.event | replace("_", " ") | title"#, r#""Order Completed""#),
            (r#""iOS app" | title"#, r#""IOS App""#),
        ]),
    function("snake", snake)
        .about(
            "The words of the text in lower case, joined with `_`. A word ends at everything that is \
             neither letter nor digit, and before an upper case letter that starts a new one.",
        )
        .shows(&[
            (r#""Order Completed" | snake"#, r#""order_completed""#),
            (r#""HTTPServer2Go" | snake"#, r#""http_server2_go""#),
        ]),
    function("kebab", kebab)
        .about("The words of the text in lower case, joined with `-`.")
        .shows(&[
            (r#""Order Completed" | kebab"#, r#""order-completed""#),
            (r#""userID" | kebab"#, r#""user-id""#),
        ]),
    function("camel", camel)
        .about("The words of the text joined, each but the first with an upper case letter.")
        .shows(&[
            (r#""order_completed" | camel"#, r#""orderCompleted""#),
            (r#""URL of page" | camel"#, r#""urlOfPage""#),
        ]),
    function("pascal", pascal)
        .about("The words of the text joined, each with an upper case letter.")
        .shows(&[
            (r#""order_completed" | pascal"#, r#""OrderCompleted""#),
            (r#""" | pascal"#, r#""""#),
        ]),
];

fn title<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    let mut out = cx.text();
    let mut starts = true;
    for char in cx.text_at(args, 0)?.chars() {
        if starts {
            push_upper(&mut out, char)?;
        } else {
            out.push(char)?;
        }
        starts = char.is_whitespace();
    }
    out.value()
}

fn snake<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    joined(cx, cx.text_at(args, 0)?, |n| Join {
        with: if n == 0 { "" } else { "_" },
        capital: false,
    })
}

fn kebab<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    joined(cx, cx.text_at(args, 0)?, |n| Join {
        with: if n == 0 { "" } else { "-" },
        capital: false,
    })
}

fn camel<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    joined(cx, cx.text_at(args, 0)?, |n| Join {
        with: "",
        capital: 0 < n,
    })
}

fn pascal<'a>(cx: &Cx<'a, '_>, args: &[Value<'a>]) -> Outcome<'a> {
    joined(cx, cx.text_at(args, 0)?, |_| Join {
        with: "",
        capital: true,
    })
}

/// How the word with some number is put behind the earlier ones.
struct Join {
    with: &'static str,
    capital: bool,
}

fn joined<'a>(cx: &Cx<'a, '_>, text: &str, join: fn(usize) -> Join) -> Outcome<'a> {
    let mut out = cx.text();
    for (n, word) in words(text).enumerate() {
        let Join { with, capital } = join(n);
        out.push_str(with)?;
        for (at, char) in word.chars().enumerate() {
            if capital && at == 0 {
                push_upper(&mut out, char)?;
            } else {
                char.to_lowercase().try_for_each(|char| out.push(char))?;
            }
        }
    }
    out.value()
}

fn push_upper(out: &mut TextOut<'_, '_>, char: char) -> Result<(), CallError> {
    char.to_uppercase().try_for_each(|char| out.push(char))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_alphanumeric())
        .flat_map(|run| {
            let mut left = run;
            std::iter::from_fn(move || {
                let (word, behind) = left.split_at_checked(word_end(left))?;
                left = behind;
                (!word.is_empty()).then_some(word)
            })
        })
}

/// Where the first word of letters and digits ends: `user|ID`, `HTTP|Server`, `Server2|Go`.
fn word_end(run: &str) -> usize {
    let mut chars = run.char_indices().peekable();
    let mut before = None::<char>;
    while let Some((at, char)) = chars.next() {
        let after_is_lower = chars.peek().is_some_and(|(_, char)| char.is_lowercase());
        let starts = before.is_some_and(|before| !before.is_uppercase() || after_is_lower);
        if char.is_uppercase() && starts {
            return at;
        }
        before = Some(char);
    }
    run.len()
}
