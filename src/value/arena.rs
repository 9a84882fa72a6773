//! The memory of one call: everything that is built while it is handled, freed at once.

use std::fmt;

use bumpalo::Bump;
use bumpalo::collections::String as BumpString;
use bumpalo::collections::Vec as BumpVec;

use crate::value::Entry;
use crate::value::Value;

/// A bump allocator. [`Arena::reset`] keeps the memory, so a warm arena asks the heap for nothing.
#[derive(Default)]
pub struct Arena {
    bump: Bump,
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena")
            .field("bytes", &self.bump.allocated_bytes())
            .finish()
    }
}

impl Arena {
    /// An empty arena; takes memory when first used.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything built so far and keeps the largest chunk of memory.
    pub fn reset(&mut self) {
        self.bump.reset();
    }

    /// Bytes taken from the heap so far.
    pub fn allocated_bytes(&self) -> usize {
        self.bump.allocated_bytes()
    }

    /// Copies text in.
    pub fn text(&self, text: &str) -> &str {
        self.bump.alloc_str(text)
    }

    /// An empty string that grows in the arena; `into_bump_str` ends it.
    pub fn string(&self) -> BumpString<'_> {
        BumpString::new_in(&self.bump)
    }

    /// An empty vector that grows in the arena; `into_bump_slice` ends it.
    pub fn vec<T>(&self) -> BumpVec<'_, T> {
        BumpVec::new_in(&self.bump)
    }

    /// An empty vector in the arena with room for `capacity` items.
    pub fn vec_with_capacity<T>(&self, capacity: usize) -> BumpVec<'_, T> {
        BumpVec::with_capacity_in(capacity, &self.bump)
    }

    /// Moves a value in. Its destructor never runs.
    pub fn place<T: Copy>(&self, value: T) -> &T {
        self.bump.alloc(value)
    }

    /// Builds a list, leaving out what is missing.
    pub fn list<'a>(&'a self, items: impl IntoIterator<Item = Value<'a>>) -> Value<'a> {
        let mut list = self.vec();
        list.extend(items.into_iter().filter(|item| !item.is_missing()));
        Value::List(list.into_bump_slice())
    }

    /// Builds an object, leaving out what is missing. The keys must be distinct.
    pub fn object<'a>(&'a self, entries: impl IntoIterator<Item = Entry<'a>>) -> Value<'a> {
        let mut object = self.vec();
        object.extend(entries.into_iter().filter(|(_, value)| !value.is_missing()));
        Value::Object(object.into_bump_slice())
    }
}
