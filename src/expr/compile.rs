//! Syntax tree to program: names resolved, kinds checked, literals compiled. Reports every mistake.

use std::ops::Range;

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::expr::Kinds;
use crate::expr::Vocabulary;
use crate::expr::mistake::Mistake;
use crate::expr::program::Id;
use crate::expr::program::KindTest;
use crate::expr::program::Node;
use crate::expr::program::Part;
use crate::expr::syntax::Form;
use crate::expr::syntax::Piece;
use crate::expr::syntax::Syntax;
use crate::text::Excerpt;
use crate::text::Span;
use crate::value::Kind;
use crate::value::Number;

pub(super) const NUMBER: Kinds = Kinds::of(Kind::Int).or(Kinds::of(Kind::Float));
pub(super) const BOOL: Kinds = Kinds::of(Kind::Bool);
pub(super) const TEXT: Kinds = Kinds::of(Kind::Text);
pub(super) const LIST: Kinds = Kinds::of(Kind::List);
pub(super) const ABSENT: Kinds = Kinds::of(Kind::Missing).or(Kinds::of(Kind::Null));
pub(super) const MISSING: Kinds = Kinds::of(Kind::Missing);

/// What is known of a compiled node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typed {
    pub(super) id: Id,
    pub(super) kinds: Kinds,
    pub(super) fails: bool,
}

/// Compiles one expression.
pub(super) struct Compiler<'a> {
    pub(super) source: &'a Excerpt,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) diagnostics: &'a mut Diagnostics,
    pub(super) nodes: Vec<Node>,
    pub(super) spans: Vec<Span>,
    /// The parameters of the lambdas around, outermost first.
    pub(super) parameters: Vec<String>,
    pub(super) reads_root: bool,
    pub(super) failed: bool,
}

impl Compiler<'_> {
    pub(super) fn span(&self, at: &Range<usize>) -> Span {
        self.source.span(at.start, at.end)
    }

    pub(super) fn add(&mut self, node: Node, at: &Range<usize>) -> Id {
        let id = Id(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node);
        self.spans.push(self.span(at));
        id
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.failed |= diagnostic.severity == crate::diagnostic::Severity::Error;
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn mistake(&mut self, mistake: Mistake, at: &Range<usize>) -> Typed {
        let diagnostic = mistake.diagnostic(self.source);
        self.report(diagnostic);
        self.unknown(at)
    }

    /// Stands for what could not be compiled, so that the rest is still checked.
    pub(super) fn unknown(&mut self, at: &Range<usize>) -> Typed {
        let id = self.add(Node::Missing, at);
        Typed {
            id,
            kinds: Kinds::ANY,
            fails: true,
        }
    }

    pub(super) fn sure(&mut self, node: Node, kinds: Kinds, at: &Range<usize>) -> Typed {
        let id = self.add(node, at);
        Typed {
            id,
            kinds,
            fails: false,
        }
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        self.nodes.get(id.0 as usize).unwrap_or(&Node::Missing)
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each form")]
    pub(super) fn compile(&mut self, syntax: &Syntax) -> Typed {
        let at = &syntax.at;
        match &syntax.form {
            Form::Missing => self.sure(Node::Missing, MISSING, at),
            Form::Null => self.sure(Node::Null, Kinds::of(Kind::Null), at),
            Form::Bool(truth) => self.sure(Node::Bool(*truth), BOOL, at),
            Form::Text(text) => self.sure(Node::Text(text.as_str().into()), TEXT, at),
            Form::Number(digits) => self.number(digits, at),
            Form::Interpolation(pieces) => self.interpolation(pieces, at),
            Form::Regex(_) => self.mistake(
                Mistake::new(
                    Code::NotConstant,
                    at.clone(),
                    "a regular expression is no value",
                )
                .help("use it as an argument: `matches(x, r\"…\")`"),
                at,
            ),
            Form::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.compile(item)).collect();
                let fails = items.iter().any(|item| item.fails);
                let ids = items.iter().map(|item| item.id).collect();
                let id = self.add(Node::List(ids), at);
                Typed {
                    id,
                    kinds: LIST,
                    fails,
                }
            }
            Form::Path(text) => self.path(text, at),
            Form::Name(name) => self.name(name, at),
            Form::Member(value, name) => self.member(value, name, at),
            Form::Index(value, index) => self.index(value, index, at),
            Form::Call(call) => self.call(call, at),
            Form::Negate(value) => {
                let value = self.operand(value, NUMBER, "`-`");
                let id = self.add(Node::Negate(value.id), at);
                self.absorbing(id, NUMBER, &[value])
            }
            Form::Not(value) => {
                let value = self.condition(value);
                let id = self.add(Node::Not(value.id), at);
                Typed {
                    id,
                    kinds: BOOL,
                    fails: value.fails,
                }
            }
            Form::All(parts) => self.junction(parts, Node::All, at),
            Form::Any(parts) => self.junction(parts, Node::Any, at),
            Form::Arithmetic(operator, left, right) => {
                let left = self.operand(left, NUMBER, "arithmetic");
                let right = self.operand(right, NUMBER, "arithmetic");
                let id = self.add(Node::Arithmetic(*operator, left.id, right.id), at);
                // Overflow and division by zero.
                let typed = self.absorbing(id, NUMBER, &[left, right]);
                Typed {
                    fails: true,
                    ..typed
                }
            }
            Form::Compare(comparison, left, right) => self.comparison(*comparison, left, right, at),
            Form::In {
                item,
                list,
                negated,
            } => {
                let item = self.compile(item);
                let list = self.operand(list, LIST, "`in`");
                let id = self.add(Node::In(item.id, list.id, *negated), at);
                Typed {
                    id,
                    kinds: BOOL,
                    fails: item.fails || list.fails,
                }
            }
            Form::Is {
                value,
                kind,
                negated,
            } => {
                let value = self.compile(value);
                let test = kind_test(kind);
                let id = self.add(Node::Is(value.id, test, *negated), at);
                Typed {
                    id,
                    kinds: BOOL,
                    fails: value.fails,
                }
            }
            Form::Glob {
                value,
                glob,
                negated,
            } => self.glob(value, glob, *negated, at),
            Form::Fallback(fallback, left, right) => self.fallback(*fallback, left, right, at),
            Form::Choice {
                when,
                then,
                otherwise,
            } => {
                let when = self.condition(when);
                let (then, otherwise) = (self.compile(then), self.compile(otherwise));
                let id = self.add(Node::Choice(when.id, then.id, otherwise.id), at);
                let fails = when.fails || then.fails || otherwise.fails;
                Typed {
                    id,
                    kinds: then.kinds | otherwise.kinds,
                    fails,
                }
            }
        }
    }

    /// The type of something that gives missing for missing and null for null operands.
    #[expect(clippy::unused_self, reason = "reads like the others where it is used")]
    pub(super) fn absorbing(&self, id: Id, kinds: Kinds, operands: &[Typed]) -> Typed {
        let absent = operands
            .iter()
            .fold(Kinds::NONE, |kinds, it| kinds | it.kinds.and(ABSENT));
        let wrong = |it: &Typed| !it.kinds.without(ABSENT | kinds).is_none();
        let fails = operands.iter().any(|it| it.fails || wrong(it));
        Typed {
            id,
            kinds: kinds | absent,
            fails,
        }
    }

    /// An operand that must be of some kinds; absent passes through.
    pub(super) fn operand(&mut self, syntax: &Syntax, wanted: Kinds, what: &str) -> Typed {
        let typed = self.compile(syntax);
        if typed.kinds.and(wanted | ABSENT).is_none() {
            let message = format!(
                "{what} needs {}, this is {}",
                wanted.words(),
                typed.kinds.words()
            );
            let span = self.span(&syntax.at);
            self.report(Diagnostic::error(Code::WrongOperandKind, span, message));
        }
        typed
    }

    /// A condition: absent is false, any other kind than a boolean is a mistake.
    pub(super) fn condition(&mut self, syntax: &Syntax) -> Typed {
        self.operand(syntax, BOOL, "a condition")
    }

    fn number(&mut self, digits: &str, at: &Range<usize>) -> Typed {
        match Number::parse(digits) {
            Some(number) => {
                let kind = if number.as_int().is_some() {
                    Kind::Int
                } else {
                    Kind::Float
                };
                self.sure(Node::Number(number), Kinds::of(kind), at)
            }
            None => self.mistake(
                Mistake::new(Code::InvalidLiteral, at.clone(), "this number is too large"),
                at,
            ),
        }
    }

    fn interpolation(&mut self, pieces: &[Piece], at: &Range<usize>) -> Typed {
        let (mut parts, mut fails, mut absent) = (Vec::new(), false, Kinds::NONE);
        for piece in pieces {
            match piece {
                Piece::Plain(text) => parts.push(Part::Plain(text.as_str().into())),
                Piece::Hole(syntax) => {
                    let hole = self.compile(syntax);
                    let structured = Kinds::of(Kind::Object) | LIST;
                    fails |= hole.fails || !hole.kinds.and(structured).is_none();
                    absent = absent | hole.kinds.and(ABSENT);
                    parts.push(Part::Hole(hole.id));
                }
            }
        }
        let id = self.add(Node::Interpolation(parts.into()), at);
        let absent = if absent.is_none() { absent } else { MISSING };
        Typed {
            id,
            kinds: TEXT | absent,
            fails,
        }
    }

    fn junction(
        &mut self,
        parts: &[Syntax],
        node: fn(Box<[Id]>) -> Node,
        at: &Range<usize>,
    ) -> Typed {
        let parts: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
        let fails = parts.iter().any(|part| part.fails);
        let id = self.add(node(parts.iter().map(|part| part.id).collect()), at);
        Typed {
            id,
            kinds: BOOL,
            fails,
        }
    }
}

fn kind_test(word: &str) -> KindTest {
    KindTest::One(match word {
        "missing" => Kind::Missing,
        "null" => Kind::Null,
        "bool" => Kind::Bool,
        "int" => Kind::Int,
        "string" => Kind::Text,
        "timestamp" => Kind::Time,
        "list" => Kind::List,
        "object" => Kind::Object,
        _ => return KindTest::Number,
    })
}
