//! The members of an object being built when a key may come twice.

use bumpalo::collections::Vec as BumpVec;

use crate::expr::builtins::call::CallError;
use crate::expr::builtins::call::Cx;
use crate::expr::builtins::call::Outcome;
use crate::value::Value;

/// Members in the order they were given, keys not yet distinct.
#[derive(Debug)]
pub(super) struct Members<'a, 'b> {
    cx: Cx<'a, 'b>,
    given: BumpVec<'a, Given<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Given<'a> {
    key: &'a str,
    at: usize,
    value: Value<'a>,
}

impl<'a, 'b> Members<'a, 'b> {
    pub(super) fn new(cx: &Cx<'a, 'b>) -> Self {
        Self {
            cx: *cx,
            given: cx.arena.vec(),
        }
    }

    /// Adds a member, unless it is missing.
    pub(super) fn push(&mut self, key: &'a str, value: Value<'a>) -> Result<(), CallError> {
        self.cx.spend(1)?;
        if !value.is_missing() {
            self.given.push(Given {
                key,
                at: self.given.len(),
                value,
            });
        }
        Ok(())
    }

    /// Adds the members of an object.
    pub(super) fn extend(&mut self, object: Value<'a>) -> Result<(), CallError> {
        object
            .entries(self.cx.arena)
            .try_for_each(|(key, value)| self.push(key, value))
    }

    /// The object in which the last member of a key counts, at the place of the first.
    pub(super) fn into_object(self) -> Outcome<'a> {
        self.combined(|_, values| Ok(values.last().copied().unwrap_or_default()))
    }

    /// The object that has for each key the list of its values.
    pub(super) fn into_lists(self) -> Outcome<'a> {
        self.combined(|_, values| Ok(Value::List(values)))
    }

    /// The object that has for each key what `combine` makes of its values.
    ///
    /// Sorts instead of looking each key up among the earlier ones: an object may have as many
    /// members as a body has room for.
    pub(super) fn combined(
        mut self,
        combine: impl Fn(&Cx<'a, 'b>, &'a [Value<'a>]) -> Outcome<'a>,
    ) -> Outcome<'a> {
        let count = self.given.len() as u64;
        self.cx
            .spend(count.saturating_mul(u64::from(count.checked_ilog2().unwrap_or(0))) / 4)?;
        self.given
            .sort_unstable_by(|left, right| left.key.cmp(right.key).then(left.at.cmp(&right.at)));
        let mut combined = self.cx.arena.vec();
        for run in self.given.chunk_by(|left, right| left.key == right.key) {
            let Some(first) = run.first() else { continue };
            let mut values = self.cx.arena.vec_with_capacity(run.len());
            values.extend(run.iter().map(|given| given.value));
            let value = combine(&self.cx, values.into_bump_slice())?;
            combined.push(Given { value, ..*first });
        }
        combined.sort_unstable_by_key(|given| given.at);
        Ok(self
            .cx
            .arena
            .object(combined.iter().map(|given| (given.key, given.value))))
    }
}
