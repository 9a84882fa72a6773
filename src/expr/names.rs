//! Paths, names and members: what each stands for, and what was meant by one that stands for nothing.

use crate::diagnostic::Code;
use crate::diagnostic::suggest;
use crate::expr::Kinds;
use crate::expr::compile::Compiler;
use crate::expr::compile::LIST;
use crate::expr::compile::MISSING;
use crate::expr::compile::NUMBER;
use crate::expr::compile::TEXT;
use crate::expr::compile::Typed;
use crate::expr::mistake::Mistake;
use crate::expr::path;
use crate::expr::program::Node;
use crate::expr::program::Subject;
use crate::expr::syntax::Form;
use crate::expr::syntax::Syntax;
use crate::value::Kind;
use std::ops::Range;
use std::sync::Arc;

impl Compiler<'_> {
    pub(super) fn path(&mut self, text: &str, at: &Range<usize>) -> Typed {
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

    pub(super) fn name(&mut self, name: &str, at: &Range<usize>) -> Typed {
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

    pub(super) fn member(&mut self, value: &Syntax, name: &str, at: &Range<usize>) -> Typed {
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

    pub(super) fn index(&mut self, value: &Syntax, index: &Syntax, at: &Range<usize>) -> Typed {
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
