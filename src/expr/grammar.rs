//! The parser that pest makes of `grammar/expression.pest`.

/// Recognises expressions.
#[derive(Debug, pest_derive::Parser)]
#[grammar = "grammar/expression.pest"]
pub(super) struct Grammar;
