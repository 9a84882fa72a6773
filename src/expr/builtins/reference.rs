//! The reference page, written from the table: `docs/functions.md` and `trackway explain`.

use std::fmt;
use std::fmt::Write as _;

use crate::expr::builtins::Accepts;
use crate::expr::builtins::Builtin;
use crate::expr::builtins::Family;
use crate::expr::builtins::LiteralUse;
use crate::expr::builtins::Parameter;
use crate::expr::builtins::Presence;
use crate::expr::builtins::examples;
use crate::expr::builtins::functions;
use crate::expr::scope::Kinds;
use crate::value::Kind;

/// The whole page, in Markdown.
pub fn reference() -> String {
    Reference.to_string()
}

/// The entry of one function with everything it takes to read it alone, in Markdown.
pub fn entry(function: &Builtin) -> String {
    let mut text = format!("# {}\n\n{function}", function.name);
    if function.lifted && function.subject().is_some() {
        text.push_str("\nMissing and null pass through: for them it gives just that.\n");
    }
    let says = |word: &str| {
        let mut examples = function.examples.iter();
        examples.any(|(expression, _)| expression.contains(word))
    };
    // Writing to a String cannot fail.
    if says("$") {
        let _ = write!(
            text,
            "\n`$` in the examples is\n\n```json\n{}\n```\n",
            examples::SUBJECT
        );
    }
    if examples::tables().any(|(name, _)| says(&format!("\"{name}\""))) {
        let _ = write!(text, "\nTheir tables are\n\n{ExampleTables}\n");
    }
    text
}

/// The tables of the examples, as a block of YAML.
struct ExampleTables;

impl fmt::Display for ExampleTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "```yaml\ntables:")?;
        for (name, table) in examples::tables() {
            let rows = table
                .rows
                .iter()
                .map(|(key, json)| format!("{key}: {json}"));
            writeln!(f, "  {name}: {{{}}}", rows.collect::<Vec<_>>().join(", "))?;
        }
        f.write_str("```")
    }
}

struct Reference;

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFACE)?;
        writeln!(f, "\n```json\n{}\n```\n", examples::SUBJECT)?;
        writeln!(
            f,
            "`now` is `2026-01-02T03:04:05.678Z`, and there are two tables:\n\n{ExampleTables}"
        )?;
        for family in Family::ALL {
            writeln!(f, "\n## {}\n", family.title())?;
            let names = functions().filter(|function| function.family == *family);
            let links = names.map(|function| format!("[`{0}`](#{0})", function.name));
            writeln!(f, "{}", links.collect::<Vec<_>>().join(" · "))?;
            for function in functions().filter(|function| function.family == *family) {
                write!(f, "\n### {}\n\n{function}", function.name)?;
            }
        }
        Ok(())
    }
}

const PREFACE: &str = "\
# Functions

<!-- Written by `reference()` in src/expr/builtins/reference.rs; a test compares. Edit the tables there. -->

A pipe feeds the first argument that is no literal: `$.email | trim | lower` is
`lower(trim($.email))`. Arguments can be named, `x | pad(5, side=\"behind\")`; those with `?` can be
left out, those with `…` repeated. `each` is a lambda, `x => x.price * 2`; inside it `index` is the
number of the item, from 0. Words, patterns `r\"…\"`, formats and names of tables are literals,
checked when the configuration is loaded.

- **Missing and null** pass through: a function that a pipe feeds missing or null gives just that and
  looks no further. The few that look at them say so.
- **Failing** is for what cannot be meant: a wrong kind, text that does not read as it should, a number
  out of range. `catch` takes over, or the rule's `on_error` decides. A number beyond 1.8e308 passes
  through untouched and fails wherever it is computed with.
- **Limits**: a function gives at most 1 MiB of text. Reading and building cost fuel, one step for each
  item or 64 bytes; a call has a million steps for all its expressions together.
- Text is counted in characters (Unicode scalars), positions start at 0.

The examples are run as tests. `→ error` is a failure. `$` in them is
";

impl fmt::Display for Builtin {
    /// The entry of the reference without its heading, in Markdown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}(", self.name)?;
        for (n, parameter) in self.parameters.iter().enumerate() {
            write!(f, "{}{parameter}", if n == 0 { "" } else { ", " })?;
        }
        writeln!(f, ") → {}`\n\n{}", Words(self.returns), self.summary)?;
        let subject = self.subject().and_then(|place| self.parameters.get(place));
        if subject.is_some_and(|it| it.accepts.has(Kind::Missing)) {
            writeln!(f, "\nLooks at missing and null itself.")?;
        }
        if let Some(fails) = self.fails {
            writeln!(f, "\nFails if {fails}.")?;
        }
        writeln!(f, "\n```trackway")?;
        for (expression, result) in self.examples {
            writeln!(f, "{expression}  → {result}")?;
        }
        writeln!(f, "```")
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.presence {
            Presence::Required => "",
            Presence::Optional => "?",
            Presence::Repeated | Presence::AnyNumber => "…",
        };
        write!(f, "{}{mark}", self.name)?;
        match self.accepts {
            Accepts::Kinds(kinds) => write!(f, ": {}", Words(kinds)),
            Accepts::Word(words) => {
                let quoted = words.iter().map(|word| format!("\"{word}\""));
                write!(f, ": {}", quoted.collect::<Vec<_>>().join(" or "))
            }
            Accepts::Literal(LiteralUse::Regex) => f.write_str(": r\"…\""),
            Accepts::Literal(LiteralUse::Table | LiteralUse::TimeFormat) => f.write_str(": \"…\""),
            Accepts::Lambda => f.write_str(": x => …"),
        }
    }
}

/// A set of kinds in the words of the language.
struct Words(Kinds);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const KINDS: &[Kind] = &[
            Kind::Bool,
            Kind::Int,
            Kind::Float,
            Kind::Time,
            Kind::Text,
            Kind::List,
            Kind::Object,
            Kind::Null,
            Kind::Missing,
        ];
        let Self(kinds) = *self;
        if kinds.is_none() {
            return f.write_str("nothing");
        }
        if kinds.has(Kind::Object) && kinds.has(Kind::List) && kinds.has(Kind::Float) {
            return f.write_str("any");
        }
        // `number` says `int` as well.
        let said = KINDS
            .iter()
            .filter(|kind| kinds.has(**kind) && !(**kind == Kind::Int && kinds.has(Kind::Float)));
        for (n, kind) in said.enumerate() {
            write!(f, "{}{}", if n == 0 { "" } else { " or " }, kind.word())?;
        }
        Ok(())
    }
}
