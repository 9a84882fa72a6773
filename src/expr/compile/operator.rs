//! Operators: what they take, what they give, when they can fail, when they are pointless.

use std::ops::Range;

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggest;
use crate::expr::Kinds;
use crate::expr::compile::ABSENT;
use crate::expr::compile::BOOL;
use crate::expr::compile::Compiler;
use crate::expr::compile::LIST;
use crate::expr::compile::MISSING;
use crate::expr::compile::NUMBER;
use crate::expr::compile::OBJECT;
use crate::expr::compile::TEXT;
use crate::expr::compile::TIME;
use crate::expr::compile::Typed;
use crate::expr::glob::Globs;
use crate::expr::mistake::Mistake;
use crate::expr::program::Constant;
use crate::expr::program::Constants;
use crate::expr::program::Node;
use crate::expr::syntax::Arithmetic;
use crate::expr::syntax::Comparison;
use crate::expr::syntax::Fallback;
use crate::expr::syntax::Form;
use crate::expr::syntax::KindWord;
use crate::expr::syntax::Sense;
use crate::expr::syntax::Syntax;
use crate::value::Kind;

/// The words that can stand behind `is`.
const KIND_WORDS: [(&str, Kinds); 9] = [
    ("missing", MISSING),
    ("null", Kinds::of(Kind::Null)),
    ("bool", BOOL),
    ("int", Kinds::of(Kind::Int)),
    ("number", NUMBER),
    ("string", TEXT),
    ("timestamp", TIME),
    ("list", LIST),
    ("object", OBJECT),
];

/// The kinds that a word behind `is` asks for.
pub(super) fn kinds_of_word(word: &str) -> Option<Kinds> {
    KIND_WORDS
        .iter()
        .find(|(known, _)| *known == word)
        .map(|(_, kinds)| *kinds)
}

type Pair<'s> = (&'s Syntax, &'s Syntax);

impl Compiler<'_> {
    pub(super) fn negate(&mut self, value: &Syntax, at: &Range<usize>) -> Typed {
        let value = self.operand(value, NUMBER, "what `-` negates");
        let node = Node::Negate(value.id);
        // The smallest int has no counterpart.
        self.calculated(node, &[value], at)
    }

    /// What gives missing for missing and null for null operands, and can overflow.
    fn calculated(&mut self, node: Node, operands: &[Typed], at: &Range<usize>) -> Typed {
        let absent = operands
            .iter()
            .fold(Kinds::NONE, |kinds, it| kinds | it.kinds.and(ABSENT));
        let typed = self.joined(node, NUMBER | absent, operands, at);
        Typed {
            fails: true,
            ..typed
        }
    }

    pub(super) fn arithmetic(
        &mut self,
        operator: Arithmetic,
        (left, right): Pair<'_>,
        at: &Range<usize>,
    ) -> Typed {
        let typed = [self.compile(left), self.compile(right)];
        for (typed, syntax) in typed.iter().zip([left, right]) {
            if typed.can_be(NUMBER) {
                continue;
            }
            let found = typed.kinds.words();
            let symbol = operator.symbol();
            let message = format!("`{symbol}` computes with numbers, this is {found}");
            let span = self.span(&syntax.at);
            let diagnostic = Diagnostic::error(Code::WrongOperandKind, span, message).here(found);
            let diagnostic = match operator {
                Arithmetic::Add if typed.kinds.without(ABSENT) == TEXT => {
                    diagnostic.help("texts are joined in a text: `\"{$.first} {$.last}\"`")
                }
                Arithmetic::Add if typed.kinds.without(ABSENT) == LIST => {
                    diagnostic.help("lists are joined with `concat`")
                }
                Arithmetic::Add | Arithmetic::Subtract if typed.kinds.without(ABSENT) == TIME => {
                    diagnostic.help("a timestamp is moved with `add_time`")
                }
                _ => diagnostic,
            };
            self.report(diagnostic);
            break;
        }
        let [left, right] = typed;
        self.calculated(Node::Arithmetic(operator, left.id, right.id), &typed, at)
    }

    pub(super) fn comparison(
        &mut self,
        comparison: Comparison,
        (left_syntax, right_syntax): Pair<'_>,
        at: &Range<usize>,
    ) -> Typed {
        let (left, right) = (self.compile(left_syntax), self.compile(right_syntax));
        let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let groups: &[Kinds] = if ordered {
            &[NUMBER, TEXT, TIME]
        } else {
            &[
                NUMBER,
                TEXT,
                TIME,
                BOOL,
                LIST,
                OBJECT,
                MISSING,
                Kinds::of(Kind::Null),
            ]
        };
        let in_group = |typed: Typed, group: Kinds| !typed.kinds.and(group).is_none();
        let possible = groups
            .iter()
            .any(|group| in_group(left, *group) && in_group(right, *group));
        if !possible && !left.kinds.is_none() && !right.kinds.is_none() {
            let always = comparison == Comparison::NotEqual;
            let message = format!("this comparison is always {always}");
            let diagnostic = self
                .pointless(&[left, right], message, at)
                .also(self.span(&left_syntax.at), left.kinds.words())
                .also(self.span(&right_syntax.at), right.kinds.words());
            let times = in_group(left, TIME) || in_group(right, TIME);
            let texts = in_group(left, TEXT) || in_group(right, TEXT);
            self.report(if times && texts {
                diagnostic.help("a text becomes a timestamp with `parse_time`")
            } else if ordered {
                diagnostic.help("only numbers, strings and timestamps have an order")
            } else {
                diagnostic
            });
        }
        let node = Node::Compare(comparison, left.id, right.id);
        let typed = self.joined(node, BOOL, &[left, right], at);
        // Two values of different kinds have no order; what is absent is never less or greater.
        let (one, other) = (left.kinds.without(ABSENT), right.kinds.without(ABSENT));
        let alike = [NUMBER, TEXT, TIME]
            .iter()
            .any(|group| (one | other).without(*group).is_none());
        let unordered = ordered && !alike && !one.is_none() && !other.is_none();
        Typed {
            fails: typed.fails || unordered,
            ..typed
        }
    }

    /// A question whose answer is known: a mistake about something that varies, odd about literals.
    fn pointless(&self, operands: &[Typed], message: String, at: &Range<usize>) -> Diagnostic {
        let span = self.span(at);
        if operands.iter().all(|operand| operand.constant) {
            Diagnostic::warning(Code::AlwaysFalse, span, message)
        } else {
            Diagnostic::error(Code::AlwaysFalse, span, message)
        }
    }

    pub(super) fn among(
        &mut self,
        (item, list): Pair<'_>,
        sense: Sense,
        at: &Range<usize>,
    ) -> Typed {
        let item_typed = self.compile(item);
        let start = self.nodes.len();
        let list_typed = self.operand(list, LIST, "what stands behind `in`");
        if let Some(constants) = self.constants(list_typed) {
            let kind_of = |constant: &Constant| Kinds::of(constant.value().kind());
            let found = constants
                .iter()
                .fold(Kinds::NONE, |kinds, it| kinds | kind_of(it));
            self.nodes.truncate(start);
            self.spans.truncate(start);
            let number = |kinds: Kinds| {
                if kinds.and(NUMBER).is_none() {
                    kinds
                } else {
                    kinds | NUMBER
                }
            };
            if number(found).and(number(item_typed.kinds)).is_none() && !item_typed.kinds.is_none()
            {
                let message = format!("this is always {}", sense.is_negated());
                let diagnostic = self
                    .pointless(&[item_typed], message, at)
                    .also(self.span(&item.at), item_typed.kinds.words())
                    .also(self.span(&list.at), format!("a list of {}", found.words()));
                self.report(diagnostic);
            }
            let constants = Box::new(Constants::new(constants));
            let node = Node::Among {
                item: item_typed.id,
                constants,
                sense,
            };
            return self.joined(node, BOOL, &[item_typed], at);
        }
        let node = Node::In {
            item: item_typed.id,
            list: list_typed.id,
            sense,
        };
        let typed = self.joined(node, BOOL, &[item_typed, list_typed], at);
        let sure = list_typed.kinds.without(LIST | ABSENT).is_none();
        Typed {
            fails: typed.fails || !sure,
            ..typed
        }
    }

    /// The items of a list of constants.
    fn constants(&self, list: Typed) -> Option<Vec<Constant>> {
        let Node::List(items) = self.node(list.id)? else {
            return None;
        };
        let constant = |id| match self.node(id)? {
            Node::Constant(constant) => Some(constant.clone()),
            _ => None,
        };
        items.iter().map(|item| constant(*item)).collect()
    }

    pub(super) fn is_kind(
        &mut self,
        (value, kind): (&Syntax, &KindWord),
        sense: Sense,
        at: &Range<usize>,
    ) -> Typed {
        let typed = self.compile(value);
        let Some(kinds) = kinds_of_word(&kind.word) else {
            let mistake = unknown_kind(kind);
            return self.mistake(mistake, at);
        };
        let (never, always) = (typed.kinds.and(kinds), typed.kinds.without(kinds));
        if (never.is_none() || always.is_none()) && !typed.kinds.is_none() {
            let message = format!("this is always {}", never.is_none() == sense.is_negated());
            let diagnostic = self
                .pointless(&[typed], message, at)
                .also(self.span(&value.at), typed.kinds.words());
            self.report(diagnostic);
        }
        self.joined(
            Node::Is {
                value: typed.id,
                kinds,
                sense,
            },
            BOOL,
            &[typed],
            at,
        )
    }

    pub(super) fn glob(
        &mut self,
        (value, glob): Pair<'_>,
        sense: Sense,
        at: &Range<usize>,
    ) -> Typed {
        let typed = self.operand(value, TEXT, "what `~` matches");
        let written = match &glob.form {
            Form::List(items) => items.as_slice(),
            _ => std::slice::from_ref(glob),
        };
        let text = |glob: &Syntax| match &glob.form {
            Form::Text(_) => None,
            _ => Some(glob.at.clone()),
        };
        if let Some(wrong) = written.iter().find_map(text) {
            let in_braces = self.text(&wrong).starts_with('"');
            let mistake = Mistake::new(Code::NotConstant, wrong, "a glob must be written out");
            let mistake = mistake.help(if in_braces {
                "in \"…\" braces hold expressions; a glob with braces stands in '…'"
            } else {
                "compare with a computed text by `==`, `in`, `starts_with` or `contains`"
            });
            return self.mistake(mistake, at);
        }
        let globs: Vec<&str> = written
            .iter()
            .filter_map(|glob| {
                if let Form::Text(text) = &glob.form {
                    Some(text.as_str())
                } else {
                    None
                }
            })
            .collect();
        match Globs::compile(&globs) {
            Ok(globs) => {
                let node = Node::Glob {
                    value: typed.id,
                    globs: Box::new(globs),
                    sense,
                };
                let sure = typed.kinds.without(TEXT | ABSENT).is_none();
                let joined = self.joined(node, BOOL, &[typed], at);
                Typed {
                    fails: joined.fails || !sure,
                    ..joined
                }
            }
            Err((nth, message)) => {
                let wrong = written.get(nth).unwrap_or(glob).at.clone();
                let message = format!("not a glob: {message}");
                self.mistake(Mistake::new(Code::InvalidPattern, wrong, message), at)
            }
        }
    }

    pub(super) fn fallback(
        &mut self,
        fallback: Fallback,
        (left_syntax, right_syntax): Pair<'_>,
        at: &Range<usize>,
    ) -> Typed {
        let (left, right) = (self.compile(left_syntax), self.compile(right_syntax));
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
        let acts = match fallback {
            Fallback::Error => left.fails,
            _ => !left.kinds.and(caught).is_none() || left.kinds.is_none(),
        };
        if !acts {
            let span = self.span(&(left_syntax.at.end..right_syntax.at.end));
            let diagnostic = Diagnostic::warning(code, span, format!("this `{word}` never acts"))
                .also(self.span(&left_syntax.at), why)
                .fix("remove it", span, "");
            self.report(diagnostic);
        }
        let node = Node::Fallback(fallback, left.id, right.id);
        let kinds = left.kinds.without(caught) | right.kinds;
        let typed = self.joined(node, kinds, &[left, right], at);
        let fails = if fallback == Fallback::Error {
            right.fails
        } else {
            typed.fails
        };
        Typed { fails, ..typed }
    }
}

fn unknown_kind(kind: &KindWord) -> Mistake {
    const MEANT: [(&str, &str); 16] = [
        ("text", "string"),
        ("str", "string"),
        ("integer", "int"),
        ("float", "number"),
        ("double", "number"),
        ("boolean", "bool"),
        ("array", "list"),
        ("map", "object"),
        ("dict", "object"),
        ("time", "timestamp"),
        ("date", "timestamp"),
        ("undefined", "missing"),
        ("absent", "missing"),
        ("nil", "null"),
        ("none", "null"),
        ("present", "not missing"),
    ];
    let word = kind.word.as_str();
    let mistake = Mistake::new(
        Code::ExpressionSyntax,
        kind.at.clone(),
        format!("`{word}` is no kind"),
    );
    let lower = word.to_ascii_lowercase();
    let meant = MEANT
        .iter()
        .find(|(other, _)| *other == lower)
        .map(|(_, ours)| *ours);
    let words = || KIND_WORDS.iter().map(|(word, _)| *word);
    match meant.or_else(|| suggest::nearest(word, words())) {
        Some(meant) => mistake.fix(format!("write `{meant}`"), kind.at.clone(), meant),
        None if matches!(lower.as_str(), "empty" | "blank") => {
            mistake.help("`$.x | is_blank` is true for what is missing, null or empty")
        }
        None if matches!(lower.as_str(), "true" | "false") => {
            mistake.help("compare with `==`; a bool alone is a condition too")
        }
        None => mistake.help(format!("known are {}", suggest::list(words()))),
    }
}
