//! Calls to events, and events to destinations.

use std::sync::Arc;

use crate::event::Operation;
use crate::expr::Program;
use crate::expr::Template;
use crate::expr::template::OnError;
use crate::text::Span;

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
