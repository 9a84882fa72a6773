//! `trackway trace`: everything that would happen to one request, and why.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::cli::Setting;
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::load::Format;
use crate::clock::Clock;
use crate::config::settings::CaseRequest;
use crate::server::trace;

/// Shows everything that would happen to one request: source, calls, rules, events, connections,
/// what each destination would be sent. Nothing is stored and nothing leaves.
///
/// The request is JSON: `{"source": "web", "method": "POST", "path": "/api/v1/customers/42/events",
/// "body": {"name": "signed_up"}}`. `source` may be left out when there is only one.
#[derive(Args, Debug)]
pub struct Trace {
    /// The request, a file; `-` is standard input.
    request: PathBuf,
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "routing.yaml")]
    config: PathBuf,
    /// How the steps are printed.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    source: Option<String>,
    #[serde(default = "post")]
    method: String,
    path: String,
    content_type: Option<String>,
    #[serde(default)]
    body: Json,
    body_json: Option<String>,
}

fn post() -> String {
    "POST".to_owned()
}

impl Trace {
    /// Runs the command.
    pub fn execute(&self, setting: &Setting) -> Exit {
        let candidate = load::read_offline(&self.config, setting);
        load::print(&candidate, Format::Text, setting);
        let Some(plan) = candidate.plan() else {
            return if candidate.is_unreadable() {
                Exit::NoInput
            } else {
                Exit::Findings
            };
        };
        let text = match self.read() {
            Ok(text) => text,
            Err(error) => {
                setting
                    .output
                    .note(&format!("error: {}: {error}", self.request.display()));
                return Exit::NoInput;
            }
        };
        let sources: Vec<&str> = plan
            .settings
            .sources
            .iter()
            .map(|source| &*source.id)
            .collect();
        let request = match request(&text, &sources) {
            Ok(request) => request,
            Err(error) => {
                setting
                    .output
                    .note(&format!("error: {}: {error}", self.request.display()));
                return Exit::Usage;
            }
        };
        let steps = trace::trace(plan, &request, Clock::system().now());
        match self.format {
            Format::Json => setting.output.data(&format!("{steps:#}")),
            Format::Text => setting.output.data(&for_people(&steps)),
        }
        Exit::Clean
    }

    fn read(&self) -> std::io::Result<String> {
        if self.request.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text)?;
            return Ok(text);
        }
        std::fs::read_to_string(&self.request)
    }
}

fn request(text: &str, sources: &[&str]) -> Result<CaseRequest, String> {
    let request: Request = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let source = match (&request.source, sources) {
        (Some(source), _) if sources.contains(&source.as_str()) => source.as_str(),
        (Some(source), _) => {
            return Err(format!(
                "there is no source `{source}`; there are {}",
                sources.join(", ")
            ));
        }
        (None, [only]) => only,
        (None, _) => return Err(format!("`source` must be one of {}", sources.join(", "))),
    };
    let body = match (request.body_json, &request.body) {
        (Some(text), _) => text.into_bytes(),
        (None, Json::Null) => Vec::new(),
        (None, body) => body.to_string().into_bytes(),
    };
    Ok(CaseRequest {
        source: source.into(),
        method: request
            .method
            .parse()
            .map_err(|_| "`method` is no HTTP method".to_owned())?,
        path: request.path,
        content_type: request.content_type,
        body,
    })
}

fn for_people(steps: &Json) -> String {
    let mut text = String::new();
    let source = at(steps, "source");
    let _ = writeln!(
        text,
        "source       {} ({})",
        plain(at(source, "id")),
        plain(at(source, "title"))
    );
    let refused = at(steps, "refused");
    if !refused.is_null() {
        let _ = writeln!(
            text,
            "refused      {}: {}",
            plain(at(refused, "status")),
            plain(at(refused, "reason"))
        );
    }
    for call in list(steps, "calls") {
        print_call(call, &mut text);
    }
    text
}

fn print_call(call: &Json, text: &mut String) {
    let (operation, api) = (plain(at(call, "operation")), plain(at(call, "api")));
    let _ = writeln!(text, "call         {operation} ({api})");
    for rule in list(call, "rules") {
        let _ = writeln!(
            text,
            "  rule       {}: {}",
            plain(at(rule, "rule")),
            verdict(at(rule, "matched"))
        );
    }
    for (n, event) in list(call, "events").iter().enumerate() {
        let _ = writeln!(text, "  event {n}    {event}");
    }
    for failed in list(call, "failed") {
        let _ = writeln!(text, "  failed     {}", plain(at(failed, "why")));
    }
    for destination in list(call, "destinations") {
        print_destination(destination, text);
    }
    if let Some(url) = at(call, "forward").as_str() {
        let _ = writeln!(text, "  forwarded as it came to {url}");
    }
}

fn print_destination(destination: &Json, text: &mut String) {
    let _ = writeln!(text, "  to {}", plain(at(destination, "destination")));
    for tried in list(destination, "connections") {
        let name = plain(at(tried, "connection"));
        let _ = writeln!(
            text,
            "    event {}  connection {name}: {}",
            at(tried, "event"),
            verdict(at(tried, "matched"))
        );
    }
    for mapped in list(destination, "mapped") {
        let _ = writeln!(
            text,
            "    event {}  mapped to {}",
            at(mapped, "event"),
            at(mapped, "to")
        );
    }
    for sent in list(destination, "sent") {
        let _ = writeln!(
            text,
            "    event {}  sends {}",
            at(sent, "event"),
            at(sent, "body")
        );
    }
    for kept in list(destination, "not_sent") {
        let _ = writeln!(
            text,
            "    event {}  {}",
            at(kept, "event"),
            plain(at(kept, "why"))
        );
    }
}

fn at<'j>(json: &'j Json, key: &str) -> &'j Json {
    json.get(key).unwrap_or(&Json::Null)
}

fn list<'j>(json: &'j Json, key: &str) -> &'j [Json] {
    at(json, key).as_array().map_or(&[], Vec::as_slice)
}

fn plain(json: &Json) -> String {
    json.as_str()
        .map_or_else(|| json.to_string(), str::to_owned)
}

fn verdict(matched: &Json) -> String {
    match matched {
        Json::Bool(true) => "matches".to_owned(),
        Json::Bool(false) => "does not match".to_owned(),
        error => format!(
            "fails: {}",
            error.get("message").and_then(Json::as_str).unwrap_or("?")
        ),
    }
}
