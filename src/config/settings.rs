//! What the program runs on: names resolved, defaults filled in, expressions compiled.
//!
//! No `Option` stands for "use the default" and no string means anything but itself. Positions stay
//! where a later stage may still have something to say about them.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::event::Operation;
use crate::expr::Program;
use crate::expr::Table;
use crate::expr::Template;
use crate::expr::template::OnError;
use crate::text::Span;

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Listeners and limits.
    pub server: ServerSettings,
    /// The journal.
    pub storage: StorageSettings,
    /// How edits go live.
    pub reload: ReloadSettings,
    /// Who sends, in the order of the file.
    pub sources: Vec<SourceSettings>,
    /// Where events go, in the order of the file.
    pub destinations: Vec<DestinationSettings>,
    /// The envelope every emitted event starts from.
    pub envelope: Envelope,
    /// Call → events: the file's own rules first, then the built-in ones. The first match wins.
    pub translation: Vec<TranslationRule>,
    /// Event → destinations, in order.
    pub connections: Vec<ConnectionSettings>,
    /// Inline tests.
    pub cases: Vec<Case>,
    /// Every file that was read, main file first: what a reload watches.
    pub inputs: Vec<PathBuf>,
}

/// Listeners and limits of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// Where calls come in.
    pub listen: SocketAddr,
    /// Where operators come in: health, metrics, reload. Loopback by default; takes a restart.
    pub admin: SocketAddr,
    /// What `/accounts/region` answers; without it, the request's own scheme and host.
    pub public_url: Option<String>,
    /// The source of requests without credentials, for the endpoints that need none.
    pub default_source: Option<Arc<str>>,
    /// Certificate and key; plain HTTP without.
    pub tls: Option<TlsSettings>,
    /// Largest request body, in bytes.
    pub body_bytes_max: u64,
    /// Bytes of request bodies held at once; beyond it requests are answered 503.
    pub in_flight_bytes_max: u64,
    /// Connections open at once; beyond it new ones wait in the kernel.
    pub connections_max: u32,
    /// How long a client may take over its request head, and how long an idle connection is kept:
    /// hyper has one timer for both.
    pub header_timeout: Duration,
    /// How long a client may pause within a body.
    pub body_timeout: Duration,
    /// How long shutdown waits for requests and deliveries.
    pub grace: Duration,
}

/// A certificate chain and its key, PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// The chain, leaf first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The journal and what else is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageSettings {
    /// The data directory; takes a restart.
    pub dir: PathBuf,
    /// Largest journal in bytes; one segment more may exist for a moment.
    pub bytes_max: u64,
    /// How long settled calls are kept for replay.
    pub retain: Duration,
    /// How long a call may stay pending before it becomes a dead letter; `None` is for ever.
    pub ttl: Option<Duration>,
    /// Free bytes of the file system below which nothing more is accepted.
    pub free_bytes_min: u64,
    /// What happens when unsettled calls fill `bytes_max`.
    pub on_full: OnFull,
    /// Size of one segment file.
    pub segment_bytes: u64,
}

/// What happens when the journal is full of calls that are not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// Answer 503; nothing that was accepted is lost.
    Reject,
    /// Give up the oldest calls and count them.
    DropOldest,
}

/// How edits go live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadSettings {
    /// What a failing inline test means.
    pub tests: TestPolicy,
    /// How often the files are compared even if nothing was heard.
    pub poll: Duration,
}

/// What a failing inline test means for a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestPolicy {
    /// The save does not go live.
    Require,
    /// It goes live with a warning.
    Warn,
    /// Tests are not run.
    Off,
}

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSettings {
    /// The key in the file.
    pub id: Arc<str>,
    /// The name people see, shown as "Journeys API: NAME".
    pub name: String,
    /// What it may authenticate with; several allow rotation.
    pub credentials: Vec<CredentialSettings>,
    /// Where the original calls go as well, `https://track.customer.io`.
    pub forward: Option<ForwardSettings>,
    /// Where the source is defined.
    pub span: Span,
}

impl SourceSettings {
    /// How people see it: "Journeys API: NAME".
    pub fn title(&self) -> String {
        format!("Journeys API: {}", self.name)
    }
}

/// One set of Track API credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialSettings {
    /// The user name of Basic authentication; no secret.
    pub site_id: Arc<str>,
    /// The password.
    pub api_key: SecretSource,
}

/// The real Track API a source's calls are passed on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardSettings {
    /// Scheme and host, without a path.
    pub url: http::Uri,
    /// How it is delivered; named `forward:SOURCE` everywhere.
    pub delivery: DeliverySettings,
}

/// Where a secret comes from. The text itself is read by whoever needs it, and printed by nobody.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretSource {
    /// `secret://env/NAME`.
    Environment(String),
    /// `secret://file/path`, re-read when it changes; one trailing newline is not part of it.
    File(PathBuf),
    /// Written in the file, or interpolated into it from the environment.
    Plain(String),
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "secret://env/{name}"),
            Self::File(path) => write!(f, "secret://file{}", path.display()),
            Self::Plain(_) => f.write_str("***"),
        }
    }
}

/// Where events go: one destination as configured.
#[derive(Clone, Debug)]
pub struct DestinationSettings {
    /// The key in the file.
    pub id: Arc<str>,
    /// What it is.
    pub definition: Arc<Definition>,
    /// The values of the definition's settings, in its order.
    pub values: Vec<SettingValue>,
    /// How it is delivered.
    pub delivery: DeliverySettings,
    /// What a failing rule or mapping means for it.
    pub on_error: OnError,
    /// Where the destination is defined.
    pub span: Span,
}

/// How deliveries to one destination are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliverySettings {
    /// Whose order is kept.
    pub ordering: Ordering,
    /// Requests in flight at once.
    pub concurrency: u32,
    /// Requests in a stretch of time, if limited.
    pub rate: Option<Rate>,
    /// How long one request may take, connect to last byte.
    pub timeout: Duration,
    /// Waits between tries, each drawn with full jitter; after the last one the event is given up.
    pub retry: Vec<Duration>,
    /// Batch limits that replace those of the definition's lanes.
    pub batch: BatchOverride,
    /// Whether the address may be loopback, private or link-local.
    pub allow_private: bool,
    /// Where a destination without a checkpoint starts.
    pub start: Start,
    /// The destination whose checkpoint it inherits.
    pub renamed_from: Option<Arc<str>>,
}

/// So many requests in such a stretch of time, `100/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many; at least 1.
    pub requests: u32,
    /// In which stretch.
    pub per: Duration,
}

/// Whose order is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordering {
    /// Per source and person.
    PerPerson,
    /// Nobody's: the most throughput.
    None,
}

/// Where a destination without a checkpoint starts reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the next call.
    Latest,
    /// With the oldest call still kept.
    Earliest,
}

/// Batch limits written at a destination; what is absent stays as the lane has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchOverride {
    /// Most items in a batch.
    pub items: Option<u32>,
    /// Most bytes of a batch's items.
    pub bytes: Option<u64>,
    /// How long a batch waits to fill.
    pub wait: Option<Duration>,
}

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

/// The value of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// Not given, and there is no default.
    Missing,
    /// As JSON text.
    Json(String),
    /// A secret.
    Secret(SecretSource),
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

/// A bounded loop.
#[derive(Clone, Debug)]
pub struct ForEach {
    /// The list.
    pub list: Program,
    /// Most items taken; a longer list is an error, nothing is silently cut.
    pub max: u32,
}

/// What every emitted event starts from. Over the call: `$` is its body.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Names computed once for a call, in order; appended to the variables.
    pub lets: Vec<Program>,
    /// The members; `map` of an emitted event adds to them and wins.
    pub map: Template,
}

/// Which calls become which events.
#[derive(Clone, Debug)]
pub struct TranslationRule {
    /// What people call it.
    pub name: String,
    /// The sources it is for; empty is all.
    pub sources: Vec<Arc<str>>,
    /// The operations it can match, when its condition says so plainly; empty is all.
    pub operations: Vec<Operation>,
    /// Which calls; all without.
    pub when: Option<Program>,
    /// The events, in order; none makes the call settle without one.
    pub emit: Vec<Emit>,
    /// What a failure means.
    pub on_error: OnError,
    /// Where the rule stands.
    pub span: Span,
}

/// One event, or several, made from one call.
#[derive(Clone, Debug)]
pub struct Emit {
    /// Its type.
    pub kind: EventKind,
    /// Whether it is made at all.
    pub when: Option<Program>,
    /// One event for each of a list; `@` is the item and `index` its number.
    pub for_each: Option<ForEach>,
    /// The members that are added to the envelope's and win; objects are merged.
    pub map: Template,
}

/// The type of an event in Data Pipelines format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// Who a person is.
    Identify,
    /// What a person did.
    Track,
    /// Which page a person saw.
    Page,
    /// Which screen a person saw.
    Screen,
    /// Which group a person belongs to.
    Group,
    /// Two ids are one person.
    Alias,
}

impl EventKind {
    /// Every type.
    pub const ALL: [Self; 6] = [
        Self::Identify,
        Self::Track,
        Self::Page,
        Self::Screen,
        Self::Group,
        Self::Alias,
    ];

    /// The value of `type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Track => "track",
            Self::Page => "page",
            Self::Screen => "screen",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }
}

/// Which events go where, as what.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// What people call it; generated from `from` and `to` when the file names none.
    pub name: Arc<str>,
    /// Its sources; `None` is every one.
    pub from: Option<Vec<Arc<str>>>,
    /// Its destinations; `None` is every one (never `forward:`).
    pub to: Option<Vec<Arc<str>>>,
    /// Which events; all without.
    pub when: Option<Program>,
    /// What happens to them.
    pub action: ConnectionAction,
    /// What a failure means; without, what the destination says.
    pub on_error: Option<OnError>,
    /// Where it stands.
    pub span: Span,
}

/// What a connection does with an event it takes.
#[derive(Clone, Debug)]
pub enum ConnectionAction {
    /// Passes it on as it is.
    Pass,
    /// Passes on what the mapping builds.
    Map(Template),
    /// Drops it; the reason is counted.
    Drop(Arc<str>),
}

/// A test: a request in, expectations out.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it claims.
    pub name: String,
    /// The request.
    pub request: CaseRequest,
    /// When it is accepted.
    pub now: crate::clock::Timestamp,
    /// What each destination must be given; destinations not named are not looked at.
    pub expect: Vec<(Arc<str>, Span, Expected)>,
    /// What the call must be translated to, before connections.
    pub events: Option<Expected>,
    /// The status it must be refused with, instead.
    pub refused: Option<u16>,
    /// Where the test stands.
    pub span: Span,
}

/// The request of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRequest {
    /// Who sends it.
    pub source: Arc<str>,
    /// The method.
    pub method: http::Method,
    /// Path and query, encoded as in a request line.
    pub path: String,
    /// The content type; JSON unless said otherwise.
    pub content_type: Option<String>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

/// A test of a definition: an event in, items per lane out.
#[derive(Clone, Debug)]
pub struct DefinitionCase {
    /// What it claims.
    pub name: String,
    /// The settings it runs with, JSON by name; secrets read `***`.
    pub settings: BTreeMap<String, String>,
    /// The event as JSON text.
    pub event: String,
    /// The operation it came from.
    pub operation: Operation,
    /// What each lane must be given; lanes not named must get nothing.
    pub expect: Vec<(String, Span, Expected)>,
    /// The reason it must be dropped or rejected with, instead.
    pub reason: Option<String>,
    /// Where the test stands.
    pub span: Span,
}

/// What a test wants a value to be.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Equal to this JSON.
    Json(String, Span),
    /// An object with at least these members, or exactly these.
    Object {
        /// The members.
        members: Vec<(String, Expected)>,
        /// Whether others are forbidden.
        exactly: bool,
        /// Where it stands.
        span: Span,
    },
    /// A list of just these, in order.
    List(Vec<Expected>, Span),
    /// An expression that holds for the value as `@`.
    Holds(Program),
    /// Not there.
    Missing(Span),
    /// `nothing`: no event at all.
    Nothing(Span),
    /// `error: TWnnnn`: a dead letter with this code.
    Error(crate::diagnostic::Code, Span),
}

/// The lookup tables of a configuration by name, shared by all its expressions.
pub type Tables = Arc<BTreeMap<String, Table>>;
