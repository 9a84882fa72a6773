//! The expression language: text to a checked, compiled [`Program`], and a program to a value.
//!
//! Knows no YAML, no HTTP and no events: a [`Scope`] in, a value out. Four stages:
//!
//! ```text
//! text → parse → syntax (as written) → compile (names, kinds, constants) → program → eval → value
//! ```
//!
//! The paths inside are parsed, lowered and run by `path`, globs by `glob`; functions come from the
//! table in [`builtins`]; `mistake` finds the words for what does not parse.

pub mod builtins;
mod compile;
mod eval;
mod glob;
mod grammar;
mod mistake;
mod parse;
mod path;
mod program;
mod required;
pub mod scope;
mod syntax;
pub mod template;

pub use parse::DEPTH_MAX;
pub use parse::NESTING_MAX;
pub use parse::TEXT_BYTES_MAX;
pub use scope::EvalError;
pub use scope::Kinds;
pub use scope::Scope;
pub use scope::Table;
pub use scope::Variable;
pub use scope::Vocabulary;
pub use template::Template;

use std::sync::Arc;

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostics;
use crate::expr::compile::Compiled;
use crate::expr::eval::Machine;
use crate::expr::mistake::Mistake;
use crate::expr::path::Subject;
use crate::expr::program::Node;
use crate::text::Excerpt;
use crate::text::Span;
use crate::value::Kind;
use crate::value::Value;

/// A compiled expression: immutable, cheap to clone, evaluated without allocating from the heap.
#[derive(Clone, Debug)]
pub struct Program(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Excerpt,
    whole: Span,
    compiled: Compiled,
}

impl Program {
    /// Parses, resolves, checks and compiles `source`, the text behind the leading `=`.
    ///
    /// Reports every mistake it can find, not the first; `None` if one of them was an error.
    pub fn compile(
        source: &Excerpt,
        vocabulary: &Vocabulary,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        match parse::parse(source.text()) {
            Ok(syntax) => compile::compile(&syntax, source, vocabulary, diagnostics)
                .map(|compiled| Self::new(source, compiled)),
            Err(mistake) => {
                diagnostics.push(mistake.diagnostic(source));
                None
            }
        }
    }

    /// Compiles a bare RFC 9535 path, which evaluates to the list of its nodes' values.
    pub fn compile_path(source: &Excerpt, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = source.text();
        let plan = parse::within_limits(text).and_then(|()| {
            path::compile(text, Subject::Root).map_err(|error| Mistake::in_path(error, 0))
        });
        match plan {
            Ok(plan) => Some(Self::new(
                source,
                Compiled::nodelist(plan, source.whole_span()),
            )),
            Err(mistake) => {
                diagnostics.push(mistake.diagnostic(source));
                None
            }
        }
    }

    fn new(source: &Excerpt, compiled: Compiled) -> Self {
        Self(Arc::new(Inner {
            source: source.clone(),
            whole: source.whole_span(),
            compiled,
        }))
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &Excerpt {
        &self.0.source
    }

    /// Where all of it stands.
    pub(crate) fn place(&self) -> Span {
        self.0.whole
    }

    /// What it can evaluate to, as far as is known without input.
    pub fn kinds(&self) -> Kinds {
        self.0.compiled.root.kinds
    }

    /// Whether evaluating it can fail. That every evaluation can run out of fuel does not count.
    pub fn can_fail(&self) -> bool {
        self.0.compiled.root.fails
    }

    /// Whether it looks at `$`.
    pub fn reads_root(&self) -> bool {
        self.0.compiled.reads_root
    }

    /// Whether it looks at the variable with that place in the vocabulary.
    pub fn reads_variable(&self, place: usize) -> bool {
        self.0
            .compiled
            .variables
            .iter()
            .any(|read| usize::from(*read) == place)
    }

    /// Its value, if it is the same whatever the scope and no list or object.
    pub fn constant(&self) -> Option<Value<'_>> {
        match self.0.compiled.node(self.0.compiled.root.id)? {
            Node::Constant(constant) => Some(constant.value()),
            _ => None,
        }
    }

    /// The texts a variable must be one of for this condition to hold, when it says so plainly:
    /// `op == "a"`, `op in ["a", "b"]`, alone, joined to more by `and`, or each side of an `or`.
    /// `variable` can also be a path such as `$.type`.
    pub fn equals_literal_on(
        &self,
        variable: &str,
        vocabulary: &Vocabulary,
    ) -> Option<Vec<String>> {
        required::texts(&self.0.compiled, variable, vocabulary)
    }

    /// Evaluates.
    ///
    /// # Errors
    ///
    /// A conversion, an arithmetic error, or a limit, with the place in the text that caused it.
    pub fn eval<'a>(&'a self, scope: &Scope<'a>) -> Result<Value<'a>, EvalError> {
        let Inner {
            whole, compiled, ..
        } = &*self.0;
        Machine::new(&compiled.nodes, &compiled.spans, *whole, scope).eval(compiled.root.id)
    }

    /// Evaluates a condition: missing and null are false.
    ///
    /// # Errors
    ///
    /// As [`Program::eval`], and a value that is no boolean.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, EvalError> {
        let value = self.eval(scope)?;
        match value.kind() {
            Kind::Bool => Ok(value.as_bool() == Some(true)),
            Kind::Missing | Kind::Null => Ok(false),
            _ => Err(EvalError {
                code: Code::WrongKindAtRunTime,
                span: self.0.whole,
                message: format!("a condition needs a bool, {}", eval::described(value)),
            }),
        }
    }
}
