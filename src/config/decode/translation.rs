//! Rules that turn calls into events: `translate` of routing.yaml, and the translation file of the
//! catalogue.

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::settings::Emit;
use crate::config::settings::Envelope;
use crate::config::settings::EventKind;
use crate::config::settings::Tables;
use crate::config::settings::TranslationRule;
use crate::config::vocabulary;
use crate::config::yaml::Data;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggest;
use crate::event::Operation;
use crate::expr::Kinds;
use crate::expr::Program;
use crate::expr::Template;
use crate::expr::Variable;
use crate::expr::Vocabulary;

/// Most events one rule emits before any loop.
const EMITS_MAX: usize = 100;

/// Whether a rule may say which sources it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Scope {
    /// A rule of routing.yaml.
    BySource,
    /// A rule of the catalogue, which knows no sources.
    Everywhere,
}

/// The envelope, and what its `let` adds to the names that rules see.
fn envelope(node: &Node, cx: &mut Cx<'_>) -> (Option<Envelope>, Vocabulary) {
    let mut vocabulary = vocabulary::translation(&cx.tables);
    let Some(mut fields) = Fields::open(node, node.head(), "the envelope", cx) else {
        return (None, vocabulary);
    };
    let mut lets = Vec::new();
    if let Some(node) = fields.take("let") {
        lets = self::lets(node, &mut vocabulary, cx);
    }
    let map = fields
        .require("map", cx)
        .and_then(|node| cx.open_template(node, &vocabulary));
    fields.close(cx);
    (map.map(|map| Envelope { lets, map }), vocabulary)
}

/// Each name can use those before it.
fn lets(node: &Node, vocabulary: &mut Vocabulary, cx: &mut Cx<'_>) -> Vec<Program> {
    let Data::Map(entries) = &node.data else {
        cx.wrong_type::<()>(node, "a mapping of names to expressions");
        return Vec::new();
    };
    let mut programs = Vec::with_capacity(entries.len());
    for entry in entries {
        cx.is_identifier(&entry.key, entry.key_span);
        if vocabulary
            .variables
            .iter()
            .any(|variable| variable.name == entry.key)
        {
            let message = format!("`{}` is a name already", entry.key);
            cx.refuse::<()>(Code::DefinedTwice, entry.key_span, message);
        }
        let program = cx.program(&entry.value, vocabulary);
        vocabulary.variables.push(Variable {
            name: entry.key.clone(),
            kinds: program.as_ref().map_or(Kinds::ANY, Program::kinds),
            about: "computed once for a call".to_owned(),
        });
        programs.extend(program);
    }
    programs
}

/// A translation file of the catalogue: what every event starts from, the rules, and what rules of
/// routing.yaml can name.
pub(in crate::config) struct Translation {
    /// The envelope.
    pub(in crate::config) envelope: Envelope,
    /// The rules, in order.
    pub(in crate::config) rules: Vec<TranslationRule>,
    /// The names, those of `let` included.
    pub(in crate::config) vocabulary: Vocabulary,
}

/// A translation file. Its tables are its own.
pub(in crate::config) fn translation(node: &Node, cx: &mut Cx<'_>) -> Option<Translation> {
    let mut fields = Fields::open(node, node.head(), "a translation file", cx)?;
    let version = fields.require("translation", cx);
    cx.version(version, "translation");
    cx.tables = match fields.take("tables") {
        Some(node) => cx.own_tables(node),
        None => Tables::default(),
    };
    let (envelope, vocabulary) = match fields.require("envelope", cx) {
        Some(node) => envelope(node, cx),
        None => (None, vocabulary::translation(&cx.tables)),
    };
    let rules = fields.require("rules", cx).map_or_else(Vec::new, |node| {
        rules(
            list(node, "a list of rules", cx),
            Scope::Everywhere,
            &vocabulary,
            cx,
        )
    });
    fields.close(cx);
    Some(Translation {
        envelope: envelope?,
        rules,
        vocabulary,
    })
}

/// A list of rules, in order.
pub(in crate::config) fn rules<'n>(
    nodes: impl IntoIterator<Item = &'n Node>,
    scope: Scope,
    vocabulary: &Vocabulary,
    cx: &mut Cx<'_>,
) -> Vec<TranslationRule> {
    nodes
        .into_iter()
        .filter_map(|node| rule(node, scope, vocabulary, cx))
        .collect()
}

fn rule(
    node: &Node,
    scope: Scope,
    vocabulary: &Vocabulary,
    cx: &mut Cx<'_>,
) -> Option<TranslationRule> {
    let span = node.head();
    let mut fields = Fields::open(node, span, "a translation rule", cx)?;
    let name = fields.require("name", cx).and_then(|node| cx.text(node));
    let sources = match (scope, fields_from(scope, &mut fields)) {
        (Scope::BySource, Some(node)) => cx
            .source_names(node)
            .map(|chosen| chosen.names().unwrap_or_default()),
        _ => Some(Vec::new()),
    };
    let when = cx.when(&mut fields, vocabulary);
    let emit = fields
        .require("emit", cx)
        .and_then(|node| emits(node, vocabulary, cx));
    let on_error = cx.on_error(&mut fields).unwrap_or_default();
    fields.close(cx);
    Some(TranslationRule {
        name: name?,
        sources: sources?,
        operations: operations(when.as_ref(), vocabulary, cx),
        when,
        emit: emit?,
        on_error,
        span,
    })
}

/// The operations a condition asks for, when it says so plainly; empty is all.
fn operations(when: Option<&Program>, vocabulary: &Vocabulary, cx: &mut Cx<'_>) -> Vec<Operation> {
    let Some(when) = when else { return Vec::new() };
    let names = when.equals_literal_on("op", vocabulary).unwrap_or_default();
    let mut operations = Vec::with_capacity(names.len());
    for name in names {
        match Operation::named(&name) {
            Some(operation) => operations.push(operation),
            None => no_operation(when, &name, cx),
        }
    }
    operations
}

fn no_operation(when: &Program, name: &str, cx: &mut Cx<'_>) {
    let source = when.source();
    let place = source.text().find(&format!("\"{name}\""));
    let span = match place {
        Some(at) => source.span(at + 1, at + 1 + name.len()),
        None => source.whole_span(),
    };
    let message = format!("there is no operation `{name}`, so this never holds");
    let diagnostic = Diagnostic::error(Code::AlwaysFalse, span, message);
    let known = Operation::ALL.iter().map(|operation| operation.name());
    cx.diagnostics
        .push(match suggest::nearest(name, known.clone()) {
            Some(near) if place.is_some() => {
                diagnostic.fix(format!("did you mean `{near}`?"), span, near)
            }
            _ => diagnostic.help(format!("the operations are {}", suggest::list(known))),
        });
}

fn fields_from<'n>(scope: Scope, fields: &mut Fields<'n>) -> Option<&'n Node> {
    match scope {
        Scope::BySource => fields.take("from"),
        Scope::Everywhere => None,
    }
}

fn emits(node: &Node, vocabulary: &Vocabulary, cx: &mut Cx<'_>) -> Option<Vec<Emit>> {
    let Data::List(items) = &node.data else {
        return cx.wrong_type(node, "a list of events");
    };
    if EMITS_MAX < items.len() {
        let message = format!("a rule emits at most {EMITS_MAX} events");
        return cx.refuse(Code::ConfigTooLarge, node.head(), message);
    }
    let emits: Vec<_> = items
        .iter()
        .map(|item| emit(item, vocabulary, cx))
        .collect();
    emits.into_iter().collect()
}

fn emit(node: &Node, vocabulary: &Vocabulary, cx: &mut Cx<'_>) -> Option<Emit> {
    let mut fields = Fields::open(node, node.head(), "an event", cx)?;
    let words = EventKind::ALL.map(|kind| (kind.name(), kind));
    let kind = fields
        .require("type", cx)
        .and_then(|node| cx.word(node, &words));
    let (for_each, inside) = cx.for_each(&mut fields, vocabulary);
    let when = cx.when(&mut fields, &inside);
    let map = match fields.take("map") {
        Some(node) => cx.open_template(node, &inside),
        None => Some(Template::Object(Vec::new())),
    };
    fields.close(cx);
    Some(Emit {
        kind: kind?,
        when,
        for_each,
        map: map?,
    })
}

/// The items of a list; nothing at all is an empty one.
pub(in crate::config) fn list<'n>(node: &'n Node, what: &str, cx: &mut Cx<'_>) -> &'n [Node] {
    match &node.data {
        Data::List(items) => items,
        Data::Null => &[],
        _ => {
            cx.wrong_type::<()>(node, what);
            &[]
        }
    }
}
