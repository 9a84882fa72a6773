//! A destination definition: a file of the catalogue, or one beside the user's.

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::decode::case;
use crate::config::decode::lane;
use crate::config::decode::setting;
use crate::config::decode::translation::list;
use crate::config::settings::Definition;
use crate::config::settings::DestinationRule;
use crate::config::settings::LaneSettings;
use crate::config::settings::RuleAction;
use crate::config::settings::Send;
use crate::config::settings::SettingSpec;
use crate::config::settings::Tables;
use crate::config::vocabulary;
use crate::config::yaml::Data;
use crate::config::yaml::Node;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::expr::Vocabulary;

/// Most items that the rules may name for one event before any loop.
const SENDS_MAX: usize = 100;

/// A definition file. Its tables are its own.
pub(in crate::config) fn definition(node: &Node, cx: &mut Cx<'_>) -> Option<Definition> {
    let mut fields = Fields::open(node, node.head(), "a destination definition", cx)?;
    let version = fields.require("destination", cx);
    cx.version(version, "destination");
    let name = fields.require("name", cx).and_then(|node| cx.text(node));
    let title = fields.take("title").map(|node| cx.text(node));
    cx.tables = match fields.take("tables") {
        Some(node) => cx.own_tables(node),
        None => Tables::default(),
    };
    let settings = fields
        .take("settings")
        .map_or_else(Vec::new, |node| setting::specs(node, cx));
    let keeps_trackway = fields
        .take("trackway")
        .and_then(|node| cx.word(node, &[("keep", true)]));
    let lanes_node = fields.require("lanes", cx);
    let lanes = lanes_node.map_or_else(Vec::new, |node| lanes(node, &settings, cx));
    // A lane that has a mistake is still a lane that rules can name.
    let names = lanes_node.map_or_else(Vec::new, Node::keys);
    let rules = fields
        .require("rules", cx)
        .map_or_else(Vec::new, |node| rules(node, &settings, &names, cx));
    let cases = match fields.take("tests") {
        Some(node) => case::definition_cases(node, &settings, &names, cx),
        None => Vec::new(),
    };
    fields.close(cx);
    let name = name?;
    Some(Definition {
        title: match title {
            Some(title) => title?,
            None => name.clone(),
        },
        name,
        settings,
        lanes,
        rules,
        keeps_trackway: keeps_trackway.unwrap_or(false),
        cases,
    })
}

fn lanes(node: &Node, settings: &[SettingSpec], cx: &mut Cx<'_>) -> Vec<LaneSettings> {
    let Data::Map(entries) = &node.data else {
        cx.wrong_type::<()>(node, "a mapping of lanes");
        return Vec::new();
    };
    if entries.is_empty() {
        cx.refuse::<()>(
            Code::InvalidDefinition,
            node.span,
            "a destination has at least one lane",
        );
    }
    entries
        .iter()
        .filter_map(|entry| lane::lane(entry, settings, cx))
        .collect()
}

fn rules(
    node: &Node,
    settings: &[SettingSpec],
    lanes: &[&str],
    cx: &mut Cx<'_>,
) -> Vec<DestinationRule> {
    let vocabulary = vocabulary::destination(&cx.tables, &setting::names_of(settings));
    list(node, "a list of rules", cx)
        .iter()
        .filter_map(|node| rule(node, &vocabulary, lanes, cx))
        .collect()
}

fn rule(
    node: &Node,
    vocabulary: &Vocabulary,
    lanes: &[&str],
    cx: &mut Cx<'_>,
) -> Option<DestinationRule> {
    let span = node.head();
    let mut fields = Fields::open(node, span, "a rule", cx)?;
    let when = cx.when(&mut fields, vocabulary);
    let action = match fields.one_of(&["send", "drop", "reject"], cx) {
        Some(("drop", node)) => cx.reason(node).map(RuleAction::Drop),
        Some(("reject", node)) => cx.reason(node).map(RuleAction::Reject),
        Some((_, node)) => sends(node, vocabulary, lanes, cx).map(RuleAction::Send),
        None => None,
    };
    fields.close(cx);
    Some(DestinationRule {
        when,
        action: action?,
        span,
    })
}

fn sends(
    node: &Node,
    vocabulary: &Vocabulary,
    lanes: &[&str],
    cx: &mut Cx<'_>,
) -> Option<Vec<Send>> {
    let items = list(node, "a list of what is sent", cx);
    if SENDS_MAX < items.len() {
        let message = format!("a rule sends at most {SENDS_MAX} items");
        return cx.refuse(Code::ConfigTooLarge, node.head(), message);
    }
    let sends: Vec<_> = items
        .iter()
        .map(|item| send(item, vocabulary, lanes, cx))
        .collect();
    sends.into_iter().collect()
}

fn send(node: &Node, vocabulary: &Vocabulary, lanes: &[&str], cx: &mut Cx<'_>) -> Option<Send> {
    let mut fields = Fields::open(node, node.head(), "an item", cx)?;
    let lane = fields
        .require("lane", cx)
        .and_then(|node| cx.lane(node, lanes));
    let (for_each, inside) = cx.for_each(&mut fields, vocabulary);
    let when = cx.when(&mut fields, &inside);
    let map = fields
        .require("map", cx)
        .and_then(|node| cx.object_template(node, &inside));
    let on_error = cx.on_error(&mut fields);
    fields.close(cx);
    Some(Send {
        lane: lane?,
        when,
        for_each,
        map: map?,
        on_error,
    })
}

impl Cx<'_> {
    /// The place of a lane by its name.
    fn lane(&mut self, node: &Node, lanes: &[&str]) -> Option<u16> {
        let wanted = self.text(node)?;
        if let Some((place, _)) = (0_u16..).zip(lanes).find(|(_, lane)| **lane == wanted) {
            return Some(place);
        }
        let lanes = lanes.iter().copied();
        self.unknown_reference(node.span, ("lane", Code::UnknownReference), &wanted, lanes)
    }

    /// The version of a file's format, which is 1.
    pub(in crate::config) fn version(&mut self, node: Option<&Node>, key: &str) {
        let Some(node) = node else { return };
        if !matches!(&node.data, Data::Number(text) if text == "1") {
            let message = format!("this Trackway reads version 1 of the format: `{key}: 1`");
            self.diagnostics.push(
                Diagnostic::error(Code::WrongVersion, node.span, message)
                    .help("install the Trackway that this file was written for"),
            );
        }
    }
}
