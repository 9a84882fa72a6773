//! The expression language: text to a checked, compiled [`Program`], and a program to a value.
//!
//! Knows no YAML, no HTTP and no events: a [`Scope`] in, a value out. Four stages, each a file:
//!
//! ```text
//! text → parse → syntax (as written) → compile (names, kinds, literals) → program → eval → value
//! ```
//!
//! `JSONPaths` inside are parsed and lowered by `path` and run by `query`; functions come from the
//! table in [`builtins`]; `mistake` finds the words for what does not parse.

pub mod builtins;
mod calls;
mod compile;
mod eval;
mod grammar;
mod mistake;
mod names;
mod operators;
mod parse;
mod path;
mod program;
mod query;
pub mod scope;
mod syntax;
pub mod template;

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
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::expr::compile::Compiler;
use crate::expr::eval::Machine;
use crate::expr::program::Id;
use crate::expr::program::Node;
use crate::expr::program::Subject;
use crate::expr::syntax::Comparison;
use crate::text::Excerpt;
use crate::text::Span;
use crate::value::Kind;
use crate::value::Value;

/// A compiled expression: immutable, cheap to clone, evaluated without allocating from the heap.
#[derive(Clone, Debug)]
pub struct Program(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    source: Excerpt,
    nodes: Box<[Node]>,
    spans: Box<[Span]>,
    whole: Span,
    root: Id,
    kinds: Kinds,
    fails: bool,
    reads_root: bool,
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
        let syntax = match parse::parse(source.text()) {
            Ok(syntax) => syntax,
            Err(mistake) => {
                diagnostics.push(mistake.diagnostic(source));
                return None;
            }
        };
        let mut compiler = Compiler {
            source,
            vocabulary,
            diagnostics,
            nodes: Vec::new(),
            spans: Vec::new(),
            parameters: Vec::new(),
            reads_root: false,
            failed: false,
        };
        let root = compiler.compile(&syntax);
        let Compiler {
            nodes,
            spans,
            reads_root,
            failed,
            ..
        } = compiler;
        (!failed).then(|| {
            Self(Arc::new(Compiled {
                source: source.clone(),
                whole: source.whole_span(),
                nodes: nodes.into(),
                spans: spans.into(),
                root: root.id,
                kinds: root.kinds,
                fails: root.fails,
                reads_root,
            }))
        })
    }

    /// Compiles a bare RFC 9535 path, which evaluates to the list of its nodes' values.
    pub fn compile_path(source: &Excerpt, diagnostics: &mut Diagnostics) -> Option<Self> {
        let (text, whole) = (source.text(), source.whole_span());
        let node = match path::compile(text, Subject::Root) {
            Ok(path::Plan::Singular(steps)) => Node::Nodelist(steps.into()),
            Ok(path::Plan::Several(query)) => Node::Query(Box::new(query)),
            Err(error) => {
                diagnostics.push(Diagnostic::error(error.code, whole, error.message));
                return None;
            }
        };
        Some(Self(Arc::new(Compiled {
            source: source.clone(),
            nodes: [node].into(),
            spans: [whole].into(),
            whole,
            root: Id(0),
            kinds: Kinds::of(Kind::List),
            fails: true,
            reads_root: true,
        })))
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &Excerpt {
        &self.0.source
    }

    /// What it can evaluate to, as far as is known without input.
    pub fn kinds(&self) -> Kinds {
        self.0.kinds
    }

    /// Whether evaluating it can fail.
    pub fn can_fail(&self) -> bool {
        self.0.fails
    }

    /// Whether it looks at `$`.
    pub fn reads_root(&self) -> bool {
        self.0.reads_root
    }

    /// The texts a variable must be one of for this condition to hold, when it says so plainly:
    /// `op == "a"`, `op in ["a", "b"]`, alone or joined to more by `and`.
    pub fn equals_literal_on(
        &self,
        variable: &str,
        vocabulary: &Vocabulary,
    ) -> Option<Vec<String>> {
        let place = vocabulary
            .variables
            .iter()
            .rposition(|it| it.name == variable)?;
        self.required(self.0.root, u16::try_from(place).ok()?)
    }

    fn required(&self, id: Id, place: u16) -> Option<Vec<String>> {
        let node = |id: Id| self.0.nodes.get(id.0 as usize);
        let is_variable = |id: Id| matches!(node(id), Some(Node::Variable(at)) if *at == place);
        let text = |id: Id| match node(id) {
            Some(Node::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        match node(id)? {
            Node::Compare(Comparison::Equal, left, right) if is_variable(*left) => {
                Some(vec![text(*right)?])
            }
            Node::Compare(Comparison::Equal, left, right) if is_variable(*right) => {
                Some(vec![text(*left)?])
            }
            Node::In(item, list, false) if is_variable(*item) => match node(*list)? {
                Node::List(items) => items.iter().map(|item| text(*item)).collect(),
                _ => None,
            },
            Node::All(parts) => parts.iter().find_map(|part| self.required(*part, place)),
            _ => None,
        }
    }

    /// Evaluates.
    ///
    /// # Errors
    ///
    /// A conversion, an arithmetic error, or a limit, with the place in the text that caused it.
    pub fn eval<'a>(&'a self, scope: &Scope<'a>) -> Result<Value<'a>, EvalError> {
        let machine = Machine {
            nodes: &self.0.nodes,
            spans: &self.0.spans,
            whole: self.0.whole,
            scope,
            item: scope.item,
            index: scope.index,
            parameters: [Value::Missing; 3],
            depth: 0,
        };
        machine.eval(self.0.root)
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
            kind => Err(EvalError {
                code: Code::WrongKindAtRunTime,
                span: self.source().whole_span(),
                message: format!("a condition needs a bool, this is {}", kind.word()),
            }),
        }
    }
}
