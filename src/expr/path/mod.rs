//! JSONPath (RFC 9535): parsed by `jsonpath-rust`, checked where it is lenient, lowered to our own
//! plan and run by ours.
//!
//! A path that can only give one value is a list of steps ([`Plan::Singular`]); every other is a
//! query that gives a list ([`Plan::Several`]).

mod fault;
mod lower;
mod query;
mod regexp;

pub(super) use fault::PathError;
pub(super) use lower::compile;
pub(super) use query::OutOfFuel;
pub(super) use query::Query;
pub(super) use query::Run;

/// A compiled path.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// One value or missing.
    Singular(Vec<Step>),
    /// Always a list.
    Several(Query),
}

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Root,
    Item,
}

/// One step of a singular path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Member(Box<str>),
    At(i64),
}
