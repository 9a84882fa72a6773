//! Computing what does not depend on the scope once, when the expression is compiled.

use std::ops::Range;

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::expr::Kinds;
use crate::expr::compile::Compiler;
use crate::expr::compile::Typed;
use crate::expr::eval::Machine;
use crate::expr::program::Constant;
use crate::expr::program::Node;
use crate::expr::scope::Budget;
use crate::expr::scope::Scope;
use crate::value::Arena;
use crate::value::Value;

/// Steps for one constant: enough for every literal, nothing to wait for.
const FUEL: u64 = 100_000;

/// Longest text that is kept, in bytes: more is computed again each time rather than held.
const TEXT_BYTES_MAX: usize = 64 * 1024;

impl Compiler<'_> {
    /// Replaces the nodes from `start` on, of which `typed` is the last, by their value. What always
    /// fails stays as it is, with a warning: `on_error` has its say when it runs.
    pub(super) fn folded(&mut self, typed: Typed, start: usize, at: &Range<usize>) -> Typed {
        if matches!(self.node(typed.id), Some(Node::Constant(_))) {
            return typed;
        }
        let arena = Arena::new();
        let budget = Budget::new(0);
        budget.fuel.set(FUEL);
        let scope = Scope {
            root: Value::Missing,
            item: Value::Missing,
            index: Value::Missing,
            variables: &[],
            arena: &arena,
            budget: &budget,
        };
        let whole = self.span(at);
        let machine = Machine::new(&self.nodes, &self.spans, whole, &scope);
        let value = machine.eval(typed.id);
        // A new id is another each time.
        if budget.uuids.get() != 0 {
            return Typed {
                constant: false,
                ..typed
            };
        }
        match value.map(Constant::of) {
            Ok(Some(Constant::Text(text))) if TEXT_BYTES_MAX < text.len() => typed,
            Ok(Some(constant)) => {
                self.nodes.truncate(start);
                self.spans.truncate(start);
                self.literal(constant, at)
            }
            // A list or an object stays as it is, for functions around it to be computed.
            Ok(None) => Typed {
                fails: false,
                ..typed
            },
            Err(error) if error.code == Code::OutOfFuel => Typed {
                constant: false,
                ..typed
            },
            // `error("…")` is meant to fail.
            Err(_) if typed.kinds == Kinds::NONE => Typed {
                constant: false,
                ..typed
            },
            // A mistake that is reported already needs no warning.
            Err(_) if self.failed => Typed {
                constant: false,
                ..typed
            },
            Err(error) => {
                let message = format!("this always fails: {}", error.message);
                self.report(Diagnostic::warning(error.code, error.span, message));
                Typed {
                    constant: false,
                    ..typed
                }
            }
        }
    }
}
