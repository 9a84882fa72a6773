//! Syntax tree to program: names resolved, kinds checked, literals compiled, constants computed.
//! Reports every mistake, not the first.

mod argument;
mod call;
mod constant;
mod fact;
mod name;
mod operator;

use std::ops::Range;

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::diagnostic::Severity;
use crate::expr::Kinds;
use crate::expr::Vocabulary;
use crate::expr::compile::fact::Fact;
use crate::expr::compile::fact::Outcome;
use crate::expr::mistake::Mistake;
use crate::expr::path::Plan;
use crate::expr::path::Subject;
use crate::expr::program::Constant;
use crate::expr::program::Id;
use crate::expr::program::Node;
use crate::expr::program::Part;
use crate::expr::syntax::Form;
use crate::expr::syntax::Piece;
use crate::expr::syntax::Syntax;
use crate::text::Excerpt;
use crate::text::Span;
use crate::value::Kind;
use crate::value::Number;

const NUMBER: Kinds = Kinds::of(Kind::Int).or(Kinds::of(Kind::Float));
const BOOL: Kinds = Kinds::of(Kind::Bool);
const TEXT: Kinds = Kinds::of(Kind::Text);
const TIME: Kinds = Kinds::of(Kind::Time);
const LIST: Kinds = Kinds::of(Kind::List);
const OBJECT: Kinds = Kinds::of(Kind::Object);
const ABSENT: Kinds = Kinds::of(Kind::Missing).or(Kinds::of(Kind::Null));
const MISSING: Kinds = Kinds::of(Kind::Missing);

/// What is known of a compiled node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typed {
    pub(super) id: Id,
    pub(super) kinds: Kinds,
    /// Whether it can fail. That every evaluation can run out of fuel does not count.
    pub(super) fails: bool,
    /// Whether it is the same whatever the scope.
    constant: bool,
}

impl Typed {
    /// Whether it can be one of those kinds when there is something; what is never there, or always
    /// fails, is no contradiction.
    fn can_be(self, wanted: Kinds) -> bool {
        let present = self.kinds.without(ABSENT);
        present.is_none() || !present.and(wanted).is_none()
    }
}

/// Compiles one expression.
pub(super) struct Compiler<'a> {
    source: &'a Excerpt,
    vocabulary: &'a Vocabulary,
    diagnostics: &'a mut Diagnostics,
    nodes: Vec<Node>,
    spans: Vec<Span>,
    /// The parameters of the lambdas around, outermost first.
    parameters: Vec<String>,
    /// What the conditions around say about values.
    facts: Vec<Fact>,
    /// The variables that are used, by their places.
    variables: Vec<u16>,
    reads_root: bool,
    failed: bool,
}

/// What an expression was compiled to.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) nodes: Box<[Node]>,
    pub(super) spans: Box<[Span]>,
    pub(super) root: Typed,
    pub(super) variables: Vec<u16>,
    pub(super) reads_root: bool,
}

impl Compiled {
    /// A path on its own: always a list of what it selects.
    pub(super) fn nodelist(plan: Plan, whole: Span) -> Self {
        let list = Node::List([Id(0)].into());
        let (nodes, id): (Box<[Node]>, _) = match plan {
            Plan::Singular(steps) => (
                [Node::Path(Subject::Root, steps.into()), list].into(),
                Id(1),
            ),
            Plan::Several(query) => ([Node::Query(Box::new(query))].into(), Id(0)),
        };
        Self {
            spans: nodes.iter().map(|_| whole).collect(),
            nodes,
            root: Typed {
                id,
                kinds: LIST,
                fails: false,
                constant: false,
            },
            variables: Vec::new(),
            reads_root: true,
        }
    }

    pub(super) fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }
}

/// Compiles a whole expression; `None` after an error, which is reported.
pub(super) fn compile(
    syntax: &Syntax,
    source: &Excerpt,
    vocabulary: &Vocabulary,
    diagnostics: &mut Diagnostics,
) -> Option<Compiled> {
    let mut compiler = Compiler {
        source,
        vocabulary,
        diagnostics,
        nodes: Vec::new(),
        spans: Vec::new(),
        parameters: Vec::new(),
        facts: Vec::new(),
        variables: Vec::new(),
        reads_root: false,
        failed: false,
    };
    let root = compiler.whole(syntax);
    let Compiler {
        nodes,
        spans,
        variables,
        reads_root,
        failed,
        ..
    } = compiler;
    (!failed).then(|| Compiled {
        nodes: nodes.into(),
        spans: spans.into(),
        root,
        variables,
        reads_root,
    })
}

impl Compiler<'_> {
    /// The whole expression: the only place where a secret may stand.
    fn whole(&mut self, syntax: &Syntax) -> Typed {
        match self.secret_setting(syntax) {
            Some(name) => self.setting(&name, &syntax.at),
            None => self.compile(syntax),
        }
    }

    fn span(&self, at: &Range<usize>) -> Span {
        self.source.span(at.start, at.end)
    }

    /// The text as it is written.
    fn text(&self, at: &Range<usize>) -> &str {
        self.source.text().get(at.clone()).unwrap_or("")
    }

    fn add(&mut self, node: Node, at: &Range<usize>) -> Id {
        let id = Id(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node);
        self.spans.push(self.span(at));
        id
    }

    fn node(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.failed |= diagnostic.severity == Severity::Error;
        self.diagnostics.push(diagnostic);
    }

    fn mistake(&mut self, mistake: Mistake, at: &Range<usize>) -> Typed {
        let diagnostic = mistake.diagnostic(self.source);
        self.report(diagnostic);
        self.unknown(at)
    }

    /// Stands for what could not be compiled, so that the rest is still checked.
    fn unknown(&mut self, at: &Range<usize>) -> Typed {
        let id = self.add(Node::Constant(Constant::Missing), at);
        Typed {
            id,
            kinds: Kinds::ANY,
            fails: true,
            constant: false,
        }
    }

    /// A node that cannot fail and depends on the scope.
    fn leaf(&mut self, node: Node, kinds: Kinds, at: &Range<usize>) -> Typed {
        let id = self.add(node, at);
        Typed {
            id,
            kinds,
            fails: false,
            constant: false,
        }
    }

    /// A node on others: fails if one of them does, is constant if all of them are.
    fn joined(&mut self, node: Node, kinds: Kinds, operands: &[Typed], at: &Range<usize>) -> Typed {
        let id = self.add(node, at);
        let fails = operands.iter().any(|operand| operand.fails);
        let constant = operands.iter().all(|operand| operand.constant);
        Typed {
            id,
            kinds,
            fails,
            constant,
        }
    }

    fn compile(&mut self, syntax: &Syntax) -> Typed {
        let start = self.nodes.len();
        let typed = self.form(syntax);
        if typed.constant {
            self.folded(typed, start, &syntax.at)
        } else {
            typed
        }
    }

    fn form(&mut self, syntax: &Syntax) -> Typed {
        let at = &syntax.at;
        match &syntax.form {
            Form::Missing => self.literal(Constant::Missing, at),
            Form::Null => self.literal(Constant::Null, at),
            Form::Bool(truth) => self.literal(Constant::Bool(*truth), at),
            Form::Text(text) => self.literal(Constant::Text(text.as_str().into()), at),
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
                let ids = items.iter().map(|item| item.id).collect();
                self.joined(Node::List(ids), LIST, &items, at)
            }
            Form::Path(text) => self.path(text, at),
            Form::Name(name) => self.name(name, at),
            Form::Member(value, name) => self.member(value, name, at),
            Form::Index(value, index) => self.index(value, index, at),
            Form::Call(call) => self.call(call, at),
            Form::Negate(value) => self.negate(value, at),
            Form::Not(value) => {
                let value = self.condition(value);
                self.joined(Node::Not(value.id), BOOL, &[value], at)
            }
            Form::All(parts) => self.junction(parts, Outcome::Held, at),
            Form::Any(parts) => self.junction(parts, Outcome::Failed, at),
            Form::Arithmetic(operator, left, right) => {
                self.arithmetic(*operator, (left, right), at)
            }
            Form::Compare(comparison, left, right) => {
                self.comparison(*comparison, (left, right), at)
            }
            Form::In { item, list, sense } => self.among((item, list), *sense, at),
            Form::Is { value, kind, sense } => self.is_kind((value, kind), *sense, at),
            Form::Glob { value, glob, sense } => self.glob((value, glob), *sense, at),
            Form::Fallback(fallback, left, right) => self.fallback(*fallback, (left, right), at),
            Form::Choice {
                when,
                then,
                otherwise,
            } => self.choice((when, then, otherwise), at),
        }
    }

    fn literal(&mut self, constant: Constant, at: &Range<usize>) -> Typed {
        let kinds = Kinds::of(constant.value().kind());
        let id = self.add(Node::Constant(constant), at);
        Typed {
            id,
            kinds,
            fails: false,
            constant: true,
        }
    }

    fn number(&mut self, digits: &str, at: &Range<usize>) -> Typed {
        let is_whole = !digits.contains(['.', 'e', 'E']);
        match Number::parse(digits) {
            Some(number) if !is_whole || number.as_int().is_some() => {
                self.literal(Constant::Number(number), at)
            }
            _ => self.mistake(
                Mistake::new(Code::InvalidLiteral, at.clone(), "this number is too large")
                    .help("digits that are an id are a text: write them in quotes"),
                at,
            ),
        }
    }

    fn interpolation(&mut self, pieces: &[Piece], at: &Range<usize>) -> Typed {
        let (mut parts, mut holes) = (Vec::new(), Vec::new());
        for piece in pieces {
            match piece {
                Piece::Plain(text) => parts.push(Part::Plain(text.as_str().into())),
                Piece::Hole(syntax) => {
                    let mut hole =
                        self.operand(syntax, TEXT | NUMBER | BOOL | TIME, "a value in a text");
                    hole.fails |= !hole.kinds.and(OBJECT | LIST).is_none();
                    parts.push(Part::Hole(hole.id));
                    holes.push(hole);
                }
            }
        }
        let absent = holes.iter().any(|hole| !hole.kinds.and(ABSENT).is_none());
        let kinds = if absent { TEXT | MISSING } else { TEXT };
        self.joined(Node::Interpolation(parts.into()), kinds, &holes, at)
    }

    /// An operand that must be of some kinds; absent passes through.
    fn operand(&mut self, syntax: &Syntax, wanted: Kinds, what: &str) -> Typed {
        let typed = self.compile(syntax);
        self.wants(typed, syntax, wanted, what);
        typed
    }

    fn wants(&mut self, typed: Typed, syntax: &Syntax, wanted: Kinds, what: &str) {
        if typed.can_be(wanted) {
            return;
        }
        let found = typed.kinds.words();
        let message = format!("{what} must be {}, this is {found}", wanted.words());
        let span = self.span(&syntax.at);
        let diagnostic = Diagnostic::error(Code::WrongOperandKind, span, message).here(found);
        self.report(diagnostic);
    }

    /// A condition: absent is false, any other kind than a bool is a mistake.
    fn condition(&mut self, syntax: &Syntax) -> Typed {
        let typed = self.operand(syntax, BOOL, "a condition");
        let sure = typed.kinds.without(BOOL | ABSENT).is_none();
        Typed {
            fails: typed.fails || !sure,
            ..typed
        }
    }

    /// The parts of `and` or `or`: each is only looked at when those before it held, or failed.
    fn junction(&mut self, parts: &[Syntax], go_on: Outcome, at: &Range<usize>) -> Typed {
        let known = self.facts.len();
        let mut typed = Vec::with_capacity(parts.len());
        for part in parts {
            typed.push(self.condition(part));
            self.learn(part, go_on);
        }
        self.facts.truncate(known);
        let ids = typed.iter().map(|part| part.id).collect();
        let node = match go_on {
            Outcome::Held => Node::All(ids),
            Outcome::Failed => Node::Any(ids),
        };
        self.joined(node, BOOL, &typed, at)
    }

    fn choice(
        &mut self,
        (when, then, otherwise): (&Syntax, &Syntax, &Syntax),
        at: &Range<usize>,
    ) -> Typed {
        let known = self.facts.len();
        let condition = self.condition(when);
        self.learn(when, Outcome::Held);
        let then = self.compile(then);
        self.facts.truncate(known);
        self.learn(when, Outcome::Failed);
        let otherwise = self.compile(otherwise);
        self.facts.truncate(known);
        let node = Node::Choice {
            when: condition.id,
            then: then.id,
            otherwise: otherwise.id,
        };
        let kinds = then.kinds | otherwise.kinds;
        self.joined(node, kinds, &[condition, then, otherwise], at)
    }
}
