//! Syntax tree to program: names resolved, kinds checked, literals compiled. Reports every mistake.

use std::ops::Range;
use std::sync::Arc;

use globset::GlobBuilder;
use globset::GlobSetBuilder;

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::diagnostic::suggest;
use crate::expr::Kinds;
use crate::expr::Vocabulary;
use crate::expr::mistake::Mistake;
use crate::expr::path;
use crate::expr::program::Id;
use crate::expr::program::KindTest;
use crate::expr::program::Node;
use crate::expr::program::Part;
use crate::expr::program::Subject;
use crate::expr::syntax::Comparison;
use crate::expr::syntax::Fallback;
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

    fn mistake(&mut self, mistake: Mistake, at: &Range<usize>) -> Typed {
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

    fn sure(&mut self, node: Node, kinds: Kinds, at: &Range<usize>) -> Typed {
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
    fn operand(&mut self, syntax: &Syntax, wanted: Kinds, what: &str) -> Typed {
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

    fn comparison(
        &mut self,
        comparison: Comparison,
        left: &Syntax,
        right: &Syntax,
        at: &Range<usize>,
    ) -> Typed {
        let (left_at, right_at) = (left.at.clone(), right.at.clone());
        let (left, right) = (self.compile(left), self.compile(right));
        let id = self.add(Node::Compare(comparison, left.id, right.id), at);
        let comparable = [
            NUMBER,
            TEXT,
            BOOL,
            LIST,
            Kinds::of(Kind::Object),
            Kinds::of(Kind::Time),
        ]
        .into_iter()
        .chain([MISSING, Kinds::of(Kind::Null)])
        .any(|kinds| !left.kinds.and(kinds).is_none() && !right.kinds.and(kinds).is_none());
        if !comparable && !self.failed {
            let always = if comparison == Comparison::NotEqual {
                "true"
            } else {
                "false"
            };
            let message = format!("this comparison is always {always}");
            let span = self.span(at);
            let diagnostic = Diagnostic::error(Code::AlwaysFalse, span, message)
                .here("the two sides are of different kinds")
                .also(self.span(&left_at), left.kinds.words())
                .also(self.span(&right_at), right.kinds.words());
            self.report(diagnostic);
        }
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        // Two present values of different kinds have no order.
        let unordered = |typed: &Typed| {
            let present = typed.kinds.without(ABSENT);
            present
                .without(NUMBER)
                .and(present.without(TEXT))
                .and(present.without(Kinds::of(Kind::Time)))
                != Kinds::NONE
                || present == Kinds::PRESENT.without(ABSENT)
        };
        let fails = left.fails || right.fails || ordered && (unordered(&left) || unordered(&right));
        Typed {
            id,
            kinds: BOOL,
            fails,
        }
    }

    fn glob(&mut self, value: &Syntax, glob: &Syntax, negated: bool, at: &Range<usize>) -> Typed {
        let value = self.operand(value, TEXT, "`~`");
        let patterns: Vec<(&str, &Range<usize>)> = match &glob.form {
            Form::Text(text) => vec![(text, &glob.at)],
            Form::List(items) => items
                .iter()
                .filter_map(|item| match &item.form {
                    Form::Text(text) => Some((text.as_str(), &item.at)),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        let wanted = if let Form::List(items) = &glob.form {
            items.len()
        } else {
            1
        };
        if patterns.len() != wanted || patterns.is_empty() {
            let message = "`~` needs a glob written as text, or a list of them";
            let mistake = Mistake::new(Code::NotConstant, glob.at.clone(), message)
                .help("for `==` with a computed text use `==`, `starts_with` or `in`");
            return self.mistake(mistake, at);
        }
        let mut set = GlobSetBuilder::new();
        for (pattern, pattern_at) in patterns {
            match GlobBuilder::new(pattern)
                .literal_separator(false)
                .backslash_escape(true)
                .build()
            {
                Ok(glob) => {
                    set.add(glob);
                }
                Err(error) => {
                    let message = format!("not a glob: {}", error.kind());
                    let mistake = Mistake::new(Code::InvalidPattern, pattern_at.clone(), message);
                    return self.mistake(mistake, at);
                }
            }
        }
        match set.build() {
            Ok(set) => {
                let id = self.add(Node::Glob(value.id, Arc::new(set), negated), at);
                let fails = value.fails || !value.kinds.without(TEXT | ABSENT).is_none();
                Typed {
                    id,
                    kinds: BOOL,
                    fails,
                }
            }
            Err(error) => {
                let mistake =
                    Mistake::new(Code::InvalidPattern, glob.at.clone(), error.to_string());
                self.mistake(mistake, at)
            }
        }
    }

    fn fallback(
        &mut self,
        fallback: Fallback,
        left: &Syntax,
        right: &Syntax,
        at: &Range<usize>,
    ) -> Typed {
        let (left_at, right_at) = (left.at.clone(), right.at.clone());
        let (left, right) = (self.compile(left), self.compile(right));
        let id = self.add(Node::Fallback(fallback, left.id, right.id), at);
        let (word, caught, code, why) = match fallback {
            Fallback::MissingOrNull => (
                "??",
                ABSENT,
                Code::DefaultNeverActs,
                "this is never missing or null",
            ),
            Fallback::Missing => (
                "?!",
                MISSING,
                Code::DefaultNeverActs,
                "this is never missing",
            ),
            Fallback::Error => (
                "catch",
                Kinds::NONE,
                Code::CatchNeverActs,
                "this cannot fail",
            ),
        };
        let never = match fallback {
            Fallback::Error => !left.fails,
            _ => left.kinds.and(caught).is_none(),
        };
        if never && !self.failed {
            let span = self.span(&(left_at.end..right_at.end));
            let left_span = self.span(&left_at);
            let diagnostic = Diagnostic::warning(code, span, format!("this `{word}` never acts"))
                .also(left_span, why)
                .fix("remove it", span, "");
            self.report(diagnostic);
        }
        let kinds = left.kinds.without(caught) | right.kinds;
        let fails = if fallback == Fallback::Error {
            right.fails
        } else {
            left.fails || right.fails
        };
        Typed { id, kinds, fails }
    }

    fn path(&mut self, text: &str, at: &Range<usize>) -> Typed {
        let (subject, is_there, mark) = if text.starts_with('$') {
            (Subject::Root, self.vocabulary.root.is_some(), "$")
        } else {
            (
                Subject::Item,
                self.vocabulary.item.is_some() || !self.parameters.is_empty(),
                "@",
            )
        };
        self.reads_root |= subject == Subject::Root;
        if !is_there {
            let message = format!("there is no `{mark}` here");
            return self.mistake(Mistake::new(Code::NameNotHere, at.clone(), message), at);
        }
        match path::compile(text, subject) {
            Ok(path::Plan::Singular(steps)) if steps.is_empty() => {
                let node = if subject == Subject::Root {
                    Node::Root
                } else {
                    Node::Item
                };
                self.sure(node, Kinds::ANY, at)
            }
            Ok(path::Plan::Singular(steps)) => {
                self.sure(Node::Path(subject, steps.into()), Kinds::ANY, at)
            }
            Ok(path::Plan::Several(query)) => {
                let typed = self.sure(Node::Query(Box::new(query)), LIST, at);
                // A query can run out of fuel on a large subject.
                Typed {
                    fails: true,
                    ..typed
                }
            }
            Err(error) => {
                let error_at = at.start + error.offset.min(text.len())..at.end;
                let mut mistake = Mistake::new(error.code, error_at, error.message);
                if let Some(help) = error.help {
                    mistake = mistake.help(help);
                }
                self.mistake(mistake, at)
            }
        }
    }

    fn name(&mut self, name: &str, at: &Range<usize>) -> Typed {
        if let Some(place) = self
            .parameters
            .iter()
            .rposition(|parameter| parameter == name)
        {
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            return self.sure(Node::Parameter(place), Kinds::ANY, at);
        }
        let in_loop = self.vocabulary.item.is_some() || !self.parameters.is_empty();
        if name == "index" && in_loop {
            return self.sure(Node::Index, Kinds::of(Kind::Int), at);
        }
        let variables = &self.vocabulary.variables;
        if let Some(place) = variables.iter().rposition(|variable| variable.name == name) {
            let kinds = variables
                .get(place)
                .map_or(Kinds::ANY, |variable| variable.kinds);
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            return self.sure(Node::Variable(place), kinds, at);
        }
        let mistake = self.unknown_name(name, at);
        self.mistake(mistake, at)
    }

    fn unknown_name(&self, name: &str, at: &Range<usize>) -> Mistake {
        let mistake = Mistake::new(
            Code::UnknownName,
            at.clone(),
            format!("unknown name `{name}`"),
        );
        // `$.order-id` reads as `$.order` minus `id`.
        let before = self.source.text().get(..at.start).unwrap_or("").trim_end();
        if let Some(path) = before.strip_suffix('-')
            && let Some(start) = path.rfind(['$', '@'])
            && let Some(path) = path.get(start..)
            && !path.contains(' ')
            && let Some((object, member)) = path.rsplit_once('.')
        {
            let meant = format!("{object}['{member}-{name}']");
            return mistake.fix(format!("did you mean `{meant}`?"), start..at.end, meant);
        }
        let variables = self
            .vocabulary
            .variables
            .iter()
            .map(|variable| variable.name.as_str());
        let known: Vec<&str> = variables
            .chain(self.parameters.iter().map(String::as_str))
            .collect();
        match suggest::nearest(name, known.iter().copied()) {
            Some(near) => mistake.fix(format!("did you mean `{near}`?"), at.clone(), near),
            None if crate::expr::builtins::find(name).is_some() => {
                mistake.fix(format!("`{name}` is a function"), at.end..at.end, "(…)")
            }
            None if self.vocabulary.root.is_some() => mistake.fix(
                format!(
                    "`$.{name}` is a member of {}; a text is written in quotes",
                    self.vocabulary.root.as_deref().unwrap_or("the subject")
                ),
                at.start..at.start,
                "$.",
            ),
            None => mistake.help("a text is written in quotes"),
        }
    }

    fn member(&mut self, value: &Syntax, name: &str, at: &Range<usize>) -> Typed {
        if let Form::Name(variable) = &value.form
            && variable == "settings"
            && self.vocabulary.secrets.iter().any(|secret| secret == name)
        {
            return self.secret(name, at);
        }
        let typed = self.compile(value);
        let name: Arc<str> = name.into();
        let node = match self.node(typed.id) {
            Node::Members(below, names) => {
                let names = names.iter().cloned().chain([name]);
                Node::Members(*below, names.collect())
            }
            Node::Path(subject, steps) => {
                let more = [crate::expr::program::Step::Member(name)];
                Node::Path(*subject, steps.iter().cloned().chain(more).collect())
            }
            _ => Node::Members(typed.id, [name].into()),
        };
        let id = self.add(node, at);
        Typed {
            id,
            kinds: Kinds::ANY,
            fails: typed.fails,
        }
    }

    /// A secret may only be a value as a whole: nothing can compute with it.
    fn secret(&mut self, name: &str, at: &Range<usize>) -> Typed {
        if *at != (0..self.source.text().len())
            && self.source.text().trim() != format!("settings.{name}")
        {
            let message = format!("the secret `settings.{name}` can only be a whole value");
            let mistake = Mistake::new(Code::SecretNotAllowed, at.clone(), message)
                .help("a secret cannot be joined, compared or passed to a function");
            return self.mistake(mistake, at);
        }
        let settings = self
            .vocabulary
            .variables
            .iter()
            .rposition(|it| it.name == "settings");
        let settings = u16::try_from(settings.unwrap_or(0)).unwrap_or(u16::MAX);
        let below = self.add(Node::Variable(settings), at);
        self.sure(
            Node::Members(below, [name.into()].into()),
            TEXT | MISSING,
            at,
        )
    }

    fn index(&mut self, value: &Syntax, index: &Syntax, at: &Range<usize>) -> Typed {
        let value = self.compile(value);
        let index = self.operand(index, NUMBER | TEXT, "an index");
        let id = self.add(Node::At(value.id, index.id), at);
        Typed {
            id,
            kinds: Kinds::ANY,
            fails: value.fails || index.fails || index.kinds != Kinds::of(Kind::Int),
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
