//! The functions of the language, each defined once as data: the checker, the reference page,
//! `trackway explain NAME` and the tests are made from this table.

mod arguments;
mod calendar;
mod call;
mod each;
mod encoding;
pub mod examples;
mod foreign;
mod general;
mod hash;
mod list;
mod members;
mod moment;
mod number;
mod object;
mod patterns;
mod reference;
mod reshape;
mod signature;
mod sorting;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod url;
mod words;

pub use call::Apply;
pub use call::Call;
pub use call::CallError;
pub use call::Cx;
pub use call::Outcome;
pub use foreign::ours_for;
pub use reference::entry;
pub use reference::reference;
pub use signature::Accepts;
pub use signature::Builtin;
pub use signature::Family;
pub use signature::LiteralUse;
pub use signature::Parameter;
pub use signature::Presence;

/// Every function, one slice for each file.
pub static ALL: &[&[Builtin]] = &[
    text::TABLE,
    words::TABLE,
    patterns::TABLE,
    number::TABLE,
    time::TABLE,
    calendar::TABLE,
    list::TABLE,
    each::TABLE,
    object::TABLE,
    reshape::TABLE,
    hash::TABLE,
    encoding::TABLE,
    url::TABLE,
    general::TABLE,
];

/// The function of that name.
pub fn find(name: &str) -> Option<&'static Builtin> {
    functions().find(|function| function.name == name)
}

/// Every name, for "did you mean".
pub fn names() -> impl Iterator<Item = &'static str> {
    functions().map(|function| function.name)
}

/// Every function.
pub fn functions() -> impl Iterator<Item = &'static Builtin> {
    ALL.iter().copied().flatten()
}

/// Checks the format of a [`LiteralUse::TimeFormat`].
///
/// # Errors
///
/// What is wrong with it, in words.
pub fn check_time_format(format: &str) -> Result<(), String> {
    calendar::check_format(format)
}
