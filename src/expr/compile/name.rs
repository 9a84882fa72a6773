//! Names and paths: what they stand for, and what was probably meant by those that stand for nothing.

use std::ops::Range;

use crate::diagnostic::Code;
use crate::diagnostic::suggest;
use crate::expr::Kinds;
use crate::expr::builtins;
use crate::expr::compile::ABSENT;
use crate::expr::compile::Compiler;
use crate::expr::compile::LIST;
use crate::expr::compile::MISSING;
use crate::expr::compile::NUMBER;
use crate::expr::compile::OBJECT;
use crate::expr::compile::TEXT;
use crate::expr::compile::Typed;
use crate::expr::mistake::Mistake;
use crate::expr::path;
use crate::expr::path::Plan;
use crate::expr::path::Step;
use crate::expr::path::Subject;
use crate::expr::program::Constant;
use crate::expr::program::Node;
use crate::expr::syntax::Form;
use crate::expr::syntax::Syntax;
use crate::value::Kind;

/// The variable whose members can be secrets.
const SETTINGS: &str = "settings";

impl Compiler<'_> {
    pub(super) fn path(&mut self, text: &str, at: &Range<usize>) -> Typed {
        let (subject, is_there) = if text.starts_with('$') {
            (Subject::Root, self.vocabulary.root.is_some())
        } else {
            (
                Subject::Item,
                self.vocabulary.item.is_some() || !self.parameters.is_empty(),
            )
        };
        self.reads_root |= subject == Subject::Root || text.contains('$');
        if !is_there {
            let mistake = self.no_subject(subject, at);
            return self.mistake(mistake, at);
        }
        match path::compile(text, subject) {
            Ok(Plan::Singular(steps)) => {
                let kinds = self.narrowed(text, Kinds::ANY);
                self.leaf(Node::Path(subject, steps.into()), kinds, at)
            }
            Ok(Plan::Several(query)) => self.leaf(Node::Query(Box::new(query)), LIST, at),
            Err(error) => {
                let mistake = Mistake::in_path(error, at.start);
                self.mistake(mistake, at)
            }
        }
    }

    fn no_subject(&self, subject: Subject, at: &Range<usize>) -> Mistake {
        let (mark, help) = match subject {
            Subject::Root => ("$", "what can be used here are the variables"),
            Subject::Item => (
                "@",
                "`@` is the item inside of `=each`, `for_each` and lambdas",
            ),
        };
        let message = format!("there is no `{mark}` here");
        let mistake = Mistake::new(Code::NameNotHere, at.clone(), message);
        match &self.vocabulary.root {
            Some(root) if subject == Subject::Item => mistake.fix(
                format!("`$` is {root}; {help}"),
                at.start..at.start + 1,
                "$",
            ),
            _ => mistake.help(help),
        }
    }

    pub(super) fn name(&mut self, name: &str, at: &Range<usize>) -> Typed {
        if let Some(place) = self
            .parameters
            .iter()
            .rposition(|parameter| parameter == name)
        {
            let kinds = self.narrowed(name, Kinds::ANY);
            let levels = place_of(self.parameters.len() - 1 - place);
            return self.leaf(Node::Parameter(levels), kinds, at);
        }
        let in_loop = self.vocabulary.item.is_some() || !self.parameters.is_empty();
        if name == "index" && in_loop {
            return self.leaf(Node::Index, Kinds::of(Kind::Int), at);
        }
        match self.variable(name) {
            Some(_) if name == SETTINGS && !self.vocabulary.secrets.is_empty() => {
                self.secret_mistake(name, at)
            }
            Some((place, kinds)) => {
                let kinds = self.narrowed(name, kinds);
                self.leaf(Node::Variable(place), kinds, at)
            }
            None => {
                let mistake = self.unknown_name(name, at);
                self.mistake(mistake, at)
            }
        }
    }

    /// A variable that is used: its place and what it can be.
    fn variable(&mut self, name: &str) -> Option<(u16, Kinds)> {
        let variables = &self.vocabulary.variables;
        let place = variables
            .iter()
            .rposition(|variable| variable.name == name)?;
        let kinds = variables.get(place)?.kinds;
        let place = place_of(place);
        if !self.variables.contains(&place) {
            self.variables.push(place);
        }
        Some((place, kinds))
    }

    fn unknown_name(&self, name: &str, at: &Range<usize>) -> Mistake {
        if let Some(mistake) = self.dashed(at.start) {
            return mistake;
        }
        let mistake = Mistake::new(
            Code::UnknownName,
            at.clone(),
            format!("unknown name `{name}`"),
        );
        let foreign = match name.to_ascii_lowercase().as_str() {
            "undefined" | "nothing" | "absent" => Some("missing"),
            "nil" | "none" => Some("null"),
            "yes" => Some("true"),
            "no" => Some("false"),
            "this" | "root" | "body" | "event" | "it" | "self"
                if self.vocabulary.root.is_some() =>
            {
                Some("$")
            }
            _ => None,
        };
        let variables = self
            .vocabulary
            .variables
            .iter()
            .map(|variable| variable.name.as_str());
        let parameters = self.parameters.iter().map(String::as_str);
        let words = ["true", "false", "null", "missing"];
        let known: Vec<&str> = variables.chain(parameters).chain(words).collect();
        if let Some(meant) = foreign.or_else(|| suggest::nearest(name, known.iter().copied())) {
            return mistake.fix(format!("did you mean `{meant}`?"), at.clone(), meant);
        }
        if builtins::find(name).is_some() {
            return mistake.help(format!("`{name}` is a function: `$.x | {name}`"));
        }
        match &self.vocabulary.root {
            Some(root) => mistake.fix(
                format!("a member of {root} is `$.{name}`, a text stands in quotes"),
                at.start..at.start,
                "$.",
            ),
            None => mistake.help("a text stands in quotes"),
        }
    }

    /// `$.order-id` reads as `$.order` minus `id`; each of several dashes gives the same finding.
    fn dashed(&self, at: usize) -> Option<Mistake> {
        let text = self.source.text();
        let before = text.get(..at)?.strip_suffix('-')?;
        let start = before.rfind(['$', '@'])?;
        let is_name = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-');
        let rest = text.get(at..)?;
        let end = at + rest.find(|char| !is_name(char)).unwrap_or(rest.len());
        let written = text
            .get(start..end)
            .filter(|path| !path.contains(char::is_whitespace))?;
        let dash = written.find('-')?;
        let dot = written.get(..dash)?.rfind('.')?;
        let (object, member) = (written.get(..dot)?, written.get(dot + 1..)?);
        let meant = format!("{object}['{member}']");
        Some(
            Mistake::new(
                Code::UnknownName,
                start..end,
                format!("unknown name in `{written}`"),
            )
            .here("a dash subtracts")
            .fix(format!("did you mean `{meant}`?"), start..end, meant),
        )
    }

    pub(super) fn member(&mut self, value: &Syntax, name: &str, at: &Range<usize>) -> Typed {
        if let Form::Name(variable) = &value.form
            && variable == SETTINGS
            && !self.vocabulary.secrets.is_empty()
            && !self
                .parameters
                .iter()
                .any(|parameter| parameter == SETTINGS)
        {
            if self.vocabulary.secrets.iter().any(|secret| secret == name) {
                return self.secret_mistake(&format!("{SETTINGS}.{name}"), at);
            }
            self.known_member(value, name, at);
            return self.setting(name, at);
        }
        self.known_member(value, name, at);
        let typed = self.compile(value);
        self.step_below(typed, Step::Member(name.into()), value, at)
    }

    /// Refuses a member that a variable never has.
    fn known_member(&mut self, value: &Syntax, name: &str, at: &Range<usize>) {
        let Form::Name(variable) = &value.form else {
            return;
        };
        let Some(members) = self.vocabulary.members.get(variable) else {
            return;
        };
        let is_parameter = self
            .parameters
            .iter()
            .any(|parameter| parameter == variable);
        if is_parameter || members.iter().any(|member| member == name) {
            return;
        }
        let known = || members.iter().map(String::as_str);
        let message = format!("`{variable}` has no `{name}`");
        let mistake = Mistake::new(Code::UnknownName, at.clone(), message);
        let mistake = match suggest::nearest(name, known()) {
            Some(near) => {
                let meant = format!("{variable}.{near}");
                mistake.fix(format!("did you mean `{meant}`?"), at.clone(), meant)
            }
            None if members.is_empty() => mistake.help("it has no members here"),
            None => mistake.help(format!("it has {}", suggest::list(known()))),
        };
        let diagnostic = mistake.diagnostic(self.source);
        self.report(diagnostic);
    }

    /// `settings.NAME`.
    pub(super) fn setting(&mut self, name: &str, at: &Range<usize>) -> Typed {
        let settings = self.variable(SETTINGS).map_or(u16::MAX, |(place, _)| place);
        let below = self.add(Node::Variable(settings), at);
        let is_secret = self.vocabulary.secrets.iter().any(|secret| secret == name);
        let kinds = if is_secret {
            TEXT | MISSING
        } else {
            Kinds::ANY
        };
        let kinds = self.narrowed(&format!("{SETTINGS}.{name}"), kinds);
        self.leaf(
            Node::Below(below, [Step::Member(name.into())].into()),
            kinds,
            at,
        )
    }

    /// The name of the secret that this is, if it is one.
    pub(super) fn secret_setting(&self, syntax: &Syntax) -> Option<String> {
        let (value, name) = match &syntax.form {
            Form::Member(value, name) => (value, name),
            Form::Index(value, index) => match &index.form {
                Form::Text(name) => (value, name),
                _ => return None,
            },
            _ => return None,
        };
        let of_settings = matches!(&value.form, Form::Name(variable) if variable == SETTINGS);
        let is_secret = self.vocabulary.secrets.iter().any(|secret| secret == name);
        (of_settings && is_secret).then(|| name.clone())
    }

    /// A secret, or something that could hold one, where it can be looked at.
    fn secret_mistake(&mut self, what: &str, at: &Range<usize>) -> Typed {
        let (message, help) = if what == SETTINGS {
            (
                "`settings` as a whole holds secrets".to_owned(),
                "name the one that is meant: `settings.region`",
            )
        } else {
            let message = format!("the secret `{what}` can only be a whole value");
            (
                message,
                "a secret cannot be joined, compared or passed to a function",
            )
        };
        self.mistake(
            Mistake::new(Code::SecretNotAllowed, at.clone(), message).help(help),
            at,
        )
    }

    pub(super) fn index(&mut self, value: &Syntax, index: &Syntax, at: &Range<usize>) -> Typed {
        let settings = matches!(&value.form, Form::Name(variable) if variable == SETTINGS);
        if let (true, Form::Text(name)) = (settings, &index.form) {
            return self.member(value, name, at);
        }
        let value_typed = self.compile(value);
        let index_typed = self.operand(index, NUMBER | TEXT, "an index");
        let step = match self.node(index_typed.id) {
            Some(Node::Constant(Constant::Text(name))) => Some(Step::Member(name.clone())),
            Some(Node::Constant(Constant::Number(number))) => number
                .as_int()
                .and_then(|int| i64::try_from(int).ok())
                .map(Step::At),
            _ => None,
        };
        if let Some(step) = step {
            return self.step_below(value_typed, step, value, at);
        }
        let node = Node::At(value_typed.id, index_typed.id);
        let typed = self.joined(node, Kinds::ANY, &[value_typed, index_typed], at);
        let sure = index_typed
            .kinds
            .without(Kinds::of(Kind::Int) | TEXT | ABSENT)
            .is_none();
        Typed {
            fails: typed.fails || !sure,
            ..typed
        }
    }

    /// One step further down from a value, joined to the steps before it.
    fn step_below(&mut self, value: Typed, step: Step, of: &Syntax, at: &Range<usize>) -> Typed {
        let (wanted, what) = match step {
            Step::Member(_) => (OBJECT, "what has members"),
            Step::At(_) => (LIST, "what has items"),
        };
        self.wants(value, of, wanted, what);
        let more = |steps: &[Step], step| steps.iter().cloned().chain([step]).collect();
        let node = match self.node(value.id) {
            Some(Node::Path(subject, steps)) => Node::Path(*subject, more(steps, step)),
            Some(Node::Below(below, steps)) => Node::Below(*below, more(steps, step)),
            _ => Node::Below(value.id, [step].into()),
        };
        let typed = self.joined(node, Kinds::ANY, &[value], at);
        let kinds = self.narrowed(self.text(at), typed.kinds);
        Typed { kinds, ..typed }
    }
}

fn place_of(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

impl Mistake {
    /// A mistake in a path that starts at that byte of the expression.
    pub(in crate::expr) fn in_path(error: path::PathError, start: usize) -> Self {
        let at = start + error.at.start..start + error.at.end;
        let mistake = Self::new(error.code, at.clone(), error.message);
        match (error.help, error.edit) {
            (Some(help), Some(edit)) => mistake.fix(help, at, edit),
            (Some(help), None) => mistake.help(help),
            (None, _) => mistake,
        }
    }
}
