//! Inline tests: what goes in and what must come out.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::Operation;
use crate::expr::Program;
use crate::text::Span;

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
        members: Vec<(String, Self)>,
        /// Whether others are forbidden.
        exactly: bool,
        /// Where it stands.
        span: Span,
    },
    /// A list of just these, in order.
    List(Vec<Self>, Span),
    /// An expression that holds for the value as `@`.
    Holds(Program),
    /// Not there.
    Missing(Span),
    /// `nothing`: no event at all.
    Nothing(Span),
    /// `error: TWnnnn`: a dead letter with this code.
    Error(crate::diagnostic::Code, Span),
}
