//! What a type of destination is: settings, lanes, rules.

use std::sync::Arc;
use std::time::Duration;

use crate::config::settings::DefinitionCase;
use crate::config::settings::ForEach;
use crate::expr::Program;
use crate::expr::Template;
use crate::expr::template::OnError;
use crate::text::Span;

/// What a type of destination is: a catalogue file.
#[derive(Clone, Debug)]
pub struct Definition {
    /// `mixpanel`.
    pub name: String,
    /// `Mixpanel`.
    pub title: String,
    /// What a user sets, in order.
    pub settings: Vec<SettingSpec>,
    /// Its endpoints.
    pub lanes: Vec<LaneSettings>,
    /// Event → items in lanes; the first match wins.
    pub rules: Vec<DestinationRule>,
    /// Whether `context.trackway` stays in the events its rules see.
    pub keeps_trackway: bool,
    /// Its own tests.
    pub cases: Vec<DefinitionCase>,
}

/// One setting of a definition.
#[derive(Clone, Debug)]
pub struct SettingSpec {
    /// The name, `settings.NAME` in expressions.
    pub name: String,
    /// What it may be.
    pub kind: SettingKind,
    /// Whether it must be given.
    pub required: bool,
    /// Its value when it is not given; may use the settings before it.
    pub default: Option<Template>,
    /// What it is for, one line.
    pub about: String,
}

/// What a setting may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// Any text.
    Text,
    /// A secret; only ever a whole value of a request.
    Secret,
    /// An absolute http or https URL.
    Url,
    /// A file path, relative to the file that configures the destination.
    Path,
    /// One of some words.
    Enum(Vec<String>),
    /// A whole number.
    Int,
    /// True or false.
    Bool,
    /// A list of texts.
    Texts,
    /// Texts by name.
    Map,
}

/// One endpoint of a destination.
#[derive(Clone, Debug)]
pub struct LaneSettings {
    /// Its name.
    pub name: String,
    /// What it speaks.
    pub sink: SinkSettings,
    /// How items are gathered.
    pub batch: BatchSettings,
}

/// How items of a lane are gathered into one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSettings {
    /// Most items; 1 sends each alone.
    pub items: u32,
    /// Most bytes of all items together.
    pub bytes: u64,
    /// How long a batch waits to fill; zero sends what is there.
    pub wait: Duration,
}

/// What a lane speaks.
#[derive(Clone, Debug)]
pub enum SinkSettings {
    /// HTTP requests.
    Http(Box<HttpSettings>),
    /// Lines appended to a file; the path is an expression over `settings`.
    File(Template),
    /// Lines on standard output.
    Stdout,
}

/// How the items of a lane become an HTTP request.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// `METHOD URL`, over `settings` only; evaluated when the plan is built.
    pub request: Template,
    /// Where `request` stands.
    pub request_span: Span,
    /// The authorization header.
    pub auth: Auth,
    /// More headers, over `settings`; an object of headers may come from one setting.
    pub headers: Template,
    /// How items become the body.
    pub body: BodySettings,
    /// Whether the body is sent gzip-compressed.
    pub gzip: bool,
    /// Signature over the body.
    pub signature: Option<Signature>,
    /// What answers mean, first match wins; the built-in meanings follow.
    pub responses: Vec<ResponseRule>,
}

/// Authentication of a lane. The templates are over `settings` and usually a secret.
#[derive(Clone, Debug)]
pub enum Auth {
    /// None, or in headers and body.
    None,
    /// `Basic user:password`.
    Basic {
        /// The user name.
        user: Template,
        /// The password; empty if absent.
        password: Option<Template>,
    },
    /// `Bearer token`.
    Bearer(Template),
}

/// How items become a body.
#[derive(Clone, Debug)]
pub struct BodySettings {
    /// The format.
    pub format: BodyFormat,
    /// What is put around the items, `$` being the list of them; over `settings` and `now`.
    /// Without it: the item itself when the lane sends each alone, else the list.
    pub wrap: Option<Template>,
}

/// The format of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// One JSON value.
    Json,
    /// One item a line.
    Ndjson,
    /// `application/x-www-form-urlencoded`: the members of the object, nested values as JSON text.
    Form,
}

/// A signature over a request.
#[derive(Clone, Debug)]
pub enum Signature {
    /// Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`. The template is
    /// the secret; missing sends unsigned, with id and timestamp.
    StandardWebhooks(Template),
}

/// What some answers mean.
#[derive(Clone, Debug)]
pub struct ResponseRule {
    /// The statuses it is about, as inclusive ranges.
    pub statuses: Vec<(u16, u16)>,
    /// A further condition over the answer's body as `$`, and `status`.
    pub when: Option<Program>,
    /// The meaning.
    pub meaning: Meaning,
}

/// What an answer means.
#[derive(Clone, Debug)]
pub enum Meaning {
    /// Every item was taken.
    Delivered,
    /// No item will ever be taken. The reason is over the answer's body.
    Reject(Option<Template>),
    /// The items that the body lists are refused; the others have the meaning of `rest`.
    RejectEach {
        /// The list of refusals.
        each: Program,
        /// Of a refusal `@`, the item's number in the batch.
        index: Program,
        /// Of a refusal `@`, why.
        reason: Option<Program>,
        /// What became of the others.
        rest: Rest,
    },
    /// Try again later.
    Retry(RetryAfter),
    /// Send halves.
    Split,
    /// The destination refuses us: pause.
    Pause,
}

/// What became of the items a partial answer does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// They were taken.
    Delivered,
    /// Nothing was taken: send them again.
    Retry,
}

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// As the schedule has it, but not before a `Retry-After` header says.
    Header,
    /// Not before this long.
    Fixed(Duration),
}

/// What a destination makes of some events.
#[derive(Clone, Debug)]
pub struct DestinationRule {
    /// Which events; all without.
    pub when: Option<Program>,
    /// What happens.
    pub action: RuleAction,
    /// Where the rule stands.
    pub span: Span,
}

/// What a destination's rule does.
#[derive(Clone, Debug)]
pub enum RuleAction {
    /// Nothing is sent; the reason is counted.
    Drop(Arc<str>),
    /// The event becomes a dead letter with this reason.
    Reject(Arc<str>),
    /// Items are sent, in order.
    Send(Vec<Send>),
}

/// One item, or several, made from one event.
#[derive(Clone, Debug)]
pub struct Send {
    /// The lane, by its place in the definition.
    pub lane: u16,
    /// Whether it is made at all.
    pub when: Option<Program>,
    /// One item for each of a list; `@` is the item and `index` its number.
    pub for_each: Option<ForEach>,
    /// The item.
    pub map: Template,
    /// What a failure means; without, what the destination says.
    pub on_error: Option<OnError>,
}
