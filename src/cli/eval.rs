//! `trackway eval`: an expression and JSON in, JSON out, for trying the language.

use std::io::BufRead as _;
use std::io::Read as _;

use clap::Args;
use serde_json::Value as Json;
use serde_json::json;

use crate::cli::Setting;
use crate::cli::exit::Exit;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::diagnostic::render;
use crate::diagnostic::render::Style;
use crate::expr::EvalError;
use crate::expr::Program;
use crate::expr::Scope;
use crate::expr::Vocabulary;
use crate::expr::scope::Budget;
use crate::text::Excerpt;
use crate::text::SourceFile;
use crate::text::Sources;
use crate::value::Arena;
use crate::value::JsonError;
use crate::value::ParseLimits;
use crate::value::Value;
use crate::value::parse;
use crate::value::write;

/// Evaluates an expression over a JSON document on standard input.
///
/// `$` is the document. Prints the value as JSON, or `missing`:
///
///   echo '{"total": "99.50"}' | trackway eval '$.total | number | round(1)'
#[derive(Args, Debug)]
pub struct Eval {
    /// The expression, without the leading `=`.
    #[arg(required_unless_present = "batch")]
    expression: Option<String>,
    /// Reads one JSON object a line and answers one a line: `{"id":1,"lang":"expression",
    /// "expr":"$.a","doc":{"a":1}}`; `lang` is `expression`, `jsonpath` or `yaml`.
    #[arg(long)]
    batch: bool,
}

/// Why something was not evaluated.
struct Refusal {
    kind: &'static str,
    code: Code,
    message: String,
    offset: u32,
}

/// A result as JSON text; `None` is missing.
type Outcome = Result<Option<String>, Refusal>;

impl Eval {
    /// Runs the command.
    pub fn execute(&self, setting: &Setting) -> Exit {
        match (&self.expression, self.batch) {
            (_, true) => batch(setting),
            (Some(expression), false) => once(expression, setting),
            (None, false) => Exit::Usage,
        }
    }
}

fn once(expression: &str, setting: &Setting) -> Exit {
    let expression = expression.strip_prefix('=').unwrap_or(expression);
    let mut text = String::new();
    if let Err(error) = std::io::stdin().lock().read_to_string(&mut text) {
        setting
            .output
            .note(&format!("error: standard input: {error}"));
        return Exit::NoInput;
    }
    let mut sources = Sources::default();
    let file = sources.add(SourceFile::new("expression", expression));
    let mut findings = Diagnostics::default();
    let excerpt = Excerpt::contiguous(expression, file, 0);
    let program = Program::compile(&excerpt, &vocabulary(), &mut findings);
    let style = if setting.output.colors_notes() {
        Style::Colored
    } else {
        Style::Plain
    };
    if !findings.is_empty() {
        setting
            .output
            .note(&render::render(&findings, &sources, style));
    }
    let Some(program) = program else {
        return Exit::Findings;
    };
    let document = if text.trim().is_empty() {
        "null"
    } else {
        &text
    };
    match evaluate(&program, document) {
        Ok(result) => {
            setting.output.data(result.as_deref().unwrap_or("missing"));
            Exit::Clean
        }
        Err(Failure::Document(error)) => {
            let refusal = Refusal::from(Failure::Document(error));
            setting
                .output
                .note(&format!("error: standard input: {}", refusal.message));
            Exit::Findings
        }
        Err(Failure::Evaluation(error)) => {
            let mut findings = Diagnostics::default();
            findings.push(Diagnostic::error(error.code, error.span, error.message));
            setting
                .output
                .note(&render::render(&findings, &sources, style));
            Exit::Findings
        }
    }
}

fn batch(setting: &Setting) -> Exit {
    // A line is a document and an expression, not a data set.
    const LINE_BYTES_MAX: u64 = 64 << 20;
    let mut input = std::io::stdin().lock();
    loop {
        let mut line = Vec::new();
        match input
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
        {
            Ok(0) => return Exit::Clean,
            Ok(_) if line.trim_ascii().is_empty() => {}
            Ok(_) => setting.output.data(&answer(&line)),
            Err(error) => {
                setting
                    .output
                    .note(&format!("error: standard input: {error}"));
                return Exit::NoInput;
            }
        }
    }
}

fn answer(line: &[u8]) -> String {
    let arena = Arena::new();
    let limits = ParseLimits {
        depth_max: 512,
        ..ParseLimits::default()
    };
    let request = match parse(line, limits, &arena) {
        Ok(request) => request,
        Err(error) => {
            let offset = u32::try_from(error.offset).unwrap_or(u32::MAX);
            let refusal = Refusal {
                kind: "parse",
                code: Code::InvalidValue,
                message: error.to_string(),
                offset,
            };
            return refused("null", &refusal);
        }
    };
    let json_text = |value: Value<'_>| {
        let mut out = Vec::new();
        write(value, &mut out);
        String::from_utf8(out).unwrap_or_default()
    };
    let id = match json_text(request.get("id")) {
        id if id.is_empty() => "null".to_owned(),
        id => id,
    };
    let text = |key: &str| request.get(key).as_text(&arena).unwrap_or("");
    let document = match json_text(request.get("doc")) {
        document if document.is_empty() => "null".to_owned(),
        document => document,
    };
    let outcome = match text("lang") {
        "expression" => compiled(text("expr")).and_then(|program| run(&program, &document)),
        "jsonpath" => path(text("expr"))
            .and_then(|program| run(&program, &document))
            .map(|result| Some(listed(result))),
        "yaml" => yaml(text("text")),
        other => Err(Refusal {
            kind: "parse",
            code: Code::InvalidValue,
            message: format!("unknown `lang` {other:?}; known are expression, jsonpath and yaml"),
            offset: 0,
        }),
    };
    match outcome {
        Ok(Some(result)) => format!("{{\"id\":{id},\"ok\":true,\"result\":{result}}}"),
        Ok(None) => format!("{{\"id\":{id},\"ok\":true,\"missing\":true}}"),
        Err(refusal) => refused(&id, &refusal),
    }
}

fn refused(id: &str, refusal: &Refusal) -> String {
    let error = json!({
        "kind": refusal.kind,
        "code": refusal.code.to_string(),
        "message": refusal.message,
        "offset": refusal.offset,
    });
    format!("{{\"id\":{id},\"ok\":false,\"error\":{error}}}")
}

/// A path gives a list of nodes; a singular one gives none or one.
fn listed(result: Option<String>) -> String {
    result.unwrap_or_else(|| "[]".to_owned())
}

fn compiled(text: &str) -> Result<Program, Refusal> {
    let mut findings = Diagnostics::default();
    let file = Sources::default().add(SourceFile::new("expression", text));
    let excerpt = Excerpt::contiguous(text, file, 0);
    Program::compile(&excerpt, &vocabulary(), &mut findings).ok_or_else(|| refusal(&findings))
}

fn path(text: &str) -> Result<Program, Refusal> {
    let mut findings = Diagnostics::default();
    let file = Sources::default().add(SourceFile::new("path", text));
    let excerpt = Excerpt::contiguous(text, file, 0);
    Program::compile_path(&excerpt, &mut findings).ok_or_else(|| refusal(&findings))
}

fn refusal(findings: &Diagnostics) -> Refusal {
    let first = findings
        .sorted()
        .into_iter()
        .find(|it| it.severity == crate::diagnostic::Severity::Error);
    first.map_or_else(
        || Refusal {
            kind: "parse",
            code: Code::ExpressionSyntax,
            message: "not compiled".to_owned(),
            offset: 0,
        },
        |finding| Refusal {
            kind: match finding.code.number() {
                104 => "limit",
                200..=299 => "type",
                _ => "parse",
            },
            code: finding.code,
            message: finding.message.clone(),
            offset: finding.span().map_or(0, |span| span.start),
        },
    )
}

fn run(program: &Program, document: &str) -> Outcome {
    Ok(evaluate(program, document)?)
}

/// Why there is no value.
enum Failure {
    /// The document cannot be read.
    Document(JsonError),
    /// The expression fails for it.
    Evaluation(EvalError),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Document(error) => Self {
                kind: "parse",
                code: Code::InvalidValue,
                message: format!("the document is not acceptable JSON: {error}"),
                offset: u32::try_from(error.offset).unwrap_or(u32::MAX),
            },
            Failure::Evaluation(error) => Self {
                kind: if error.code == Code::OutOfFuel {
                    "limit"
                } else {
                    "eval"
                },
                code: error.code,
                message: error.message,
                offset: error.span.start,
            },
        }
    }
}

/// The value as JSON text; `None` is missing.
fn evaluate(program: &Program, document: &str) -> Result<Option<String>, Failure> {
    let arena = Arena::new();
    let limits = ParseLimits {
        depth_max: 512,
        ..ParseLimits::default()
    };
    let root = parse(document.as_bytes(), limits, &arena).map_err(Failure::Document)?;
    let budget = Budget::new(0);
    let scope = Scope {
        root,
        item: Value::Missing,
        index: Value::Missing,
        variables: &[],
        arena: &arena,
        budget: &budget,
    };
    let value = program.eval(&scope).map_err(Failure::Evaluation)?;
    if value.is_missing() {
        return Ok(None);
    }
    let mut out = Vec::new();
    write(value, &mut out);
    Ok(String::from_utf8(out).ok())
}

fn yaml(text: &str) -> Outcome {
    use serde::Deserialize as _;
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Json::deserialize(document).map_err(|error| Refusal {
            kind: "parse",
            code: Code::YamlSyntax,
            offset: error
                .location()
                .map_or(0, |at| u32::try_from(at.index()).unwrap_or(u32::MAX)),
            message: error.to_string(),
        })?;
        documents.push(value);
    }
    Ok(Some(Json::Array(documents).to_string()))
}

fn vocabulary() -> Vocabulary {
    Vocabulary {
        root: Some("the document".to_owned()),
        ..Vocabulary::default()
    }
}
