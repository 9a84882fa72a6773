//! Events → what one destination is sent: its connection, the mapping, its own rules.

use std::ops::Range;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::config::settings::ConnectionAction;
use crate::config::settings::ConnectionSettings;
use crate::config::settings::DefinitionCase;
use crate::config::settings::EventKind;
use crate::config::settings::RuleAction;
use crate::config::settings::Send;
use crate::event::Item;
use crate::event::Record;
use crate::event::delivery::LaneId;
use crate::event::delivery::OrderKey;
use crate::event::delivery::Part;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;
use crate::event::delivery::Rendered;
use crate::event::delivery::Translate;
use crate::event::delivery::Verdict;
use crate::event::record::StoredRequest;
use crate::expr::EvalError;
use crate::expr::Scope;
use crate::expr::scope::Budget;
use crate::expr::template::OnError;
use crate::route::plan::DestinationPlan;
use crate::route::settings::settings_value;
use crate::route::translate::Event;
use crate::route::translate::budget;
use crate::route::translate::call_variables;
use crate::route::translate::for_items;
use crate::route::translate::holds;
use crate::route::translate::mapping_reason;
use crate::route::translate::scope;
use crate::route::witness::Witness;
use crate::value::Arena;
use crate::value::Kind;
use crate::value::ParseLimits;
use crate::value::Value;
use crate::value::parse;

/// Most items one event may become at one destination.
pub const ITEMS_MAX: usize = 1_000;

/// Largest item in bytes: no destination we know takes more than 1 MiB in one event.
pub const ITEM_BYTES_MAX: usize = 1 << 20;

impl Translate for DestinationPlan {
    fn translate(&self, record: &Record<'_>, arena: &mut Arena, rendered: &mut Rendered) {
        self.render(record, arena, rendered, &mut ());
    }
}

impl DestinationPlan {
    /// Like [`Translate::translate`], with somebody looking on.
    pub fn render<W: Witness>(
        &self,
        record: &Record<'_>,
        arena: &mut Arena,
        rendered: &mut Rendered,
        witness: &mut W,
    ) {
        rendered.clear();
        arena.reset();
        let arena: &Arena = arena;
        let budget = budget(record);
        let walk = Walk {
            destination: self,
            record,
            arena,
            budget: &budget,
        };
        match self.translator.translate(record, (arena, &budget), witness) {
            Ok(events) => {
                for event in events {
                    walk.event(event, rendered, witness);
                }
            }
            Err(failure) => {
                let verdict = failure.verdict();
                witness.verdict(Part::default(), &verdict);
                rendered.verdicts.push((Part::default(), verdict));
            }
        }
    }
}

impl DestinationPlan {
    /// Runs the destination's own rules over the event of a test.
    pub fn render_event<W: Witness>(
        &self,
        case: &DefinitionCase,
        arena: &mut Arena,
        rendered: &mut Rendered,
        witness: &mut W,
    ) {
        rendered.clear();
        arena.reset();
        let arena: &Arena = arena;
        let request = StoredRequest::empty("test", Timestamp::default());
        let record = Record::of(request, case.operation);
        let budget = budget(&record);
        let value = parse(case.event.as_bytes(), ParseLimits::default(), arena).unwrap_or_default();
        let kind = value.get("type").to_text();
        let kind = EventKind::ALL
            .into_iter()
            .find(|it| Some(it.name()) == kind.as_deref());
        let message_id = value.get("messageId").as_text(arena).unwrap_or("");
        let event = Event {
            number: 0,
            kind: kind.unwrap_or(EventKind::Track),
            value,
            message_id,
        };
        let walk = Walk {
            destination: self,
            record: &record,
            arena,
            budget: &budget,
        };
        walk.event(&event, rendered, witness);
    }
}

/// One record on its way to one destination.
#[derive(Clone, Copy)]
struct Walk<'a> {
    destination: &'a DestinationPlan,
    record: &'a Record<'a>,
    arena: &'a Arena,
    budget: &'a Budget,
}

/// Why an event makes no item: a verdict that was reached, or an expression that failed.
enum Stop {
    Verdict(Verdict),
    Failed {
        error: EvalError,
        on_error: OnError,
        what: String,
    },
}

impl<'a> Walk<'a> {
    fn event<W: Witness>(&self, event: &Event<'a>, rendered: &mut Rendered, witness: &mut W) {
        let (items, text) = (rendered.items.len(), rendered.text.len());
        let Err(stop) = self.items(event, rendered, witness) else {
            return;
        };
        // Nothing of an event is sent when a part of it cannot be made.
        rendered.items.truncate(items);
        rendered.text.truncate(text);
        let verdict = match stop {
            Stop::Verdict(verdict) => verdict,
            Stop::Failed {
                on_error: OnError::Drop,
                what,
                ..
            } => Verdict::Dropped(format!("{what} failed").into()),
            Stop::Failed { error, what, .. } => Verdict::Failed(mapping_reason(&what, &error)),
        };
        witness.verdict(event.part(), &verdict);
        rendered.verdicts.push((event.part(), verdict));
    }

    fn items<W: Witness>(
        &self,
        event: &Event<'a>,
        rendered: &mut Rendered,
        witness: &mut W,
    ) -> Result<(), Stop> {
        let settings = &self.destination.settings;
        let mut variables = self.arena.vec_with_capacity(7);
        variables.extend_from_slice(&call_variables(self.record, self.arena));
        variables.push(Value::Text(event.message_id));
        variables.push(settings_value(settings, self.arena));
        let variables: &[Value<'a>] = variables.into_bump_slice();
        let of_connection = variables
            .split_last()
            .map_or(variables, |(_, others)| others);
        let of_event = scope(event.value, of_connection, self.arena, self.budget);
        let Some(connection) = self.connection(event.part(), &of_event, witness)? else {
            return Err(Stop::Verdict(Verdict::Unrouted));
        };
        let on_error = connection.on_error.unwrap_or(settings.on_error);
        let value = match &connection.action {
            ConnectionAction::Drop(reason) => {
                return Err(Stop::Verdict(Verdict::Dropped(reason.clone())));
            }
            ConnectionAction::Pass => event.value,
            ConnectionAction::Map(template) => {
                let mapped = template
                    .build(&of_event, on_error)
                    .map_err(|error| failed(error, on_error, &connection.name))?;
                witness.mapped(event.part(), mapped);
                mapped
            }
        };
        let value = if settings.definition.keeps_trackway {
            value
        } else {
            without_trackway(value, self.arena)
        };
        let scope = Scope {
            root: value,
            variables,
            ..of_event
        };
        self.rules(event, &scope, rendered, witness)
    }

    fn connection<W: Witness>(
        &self,
        part: Part,
        scope: &Scope<'a>,
        witness: &mut W,
    ) -> Result<Option<&'a ConnectionSettings>, Stop> {
        let connections = self.destination.connections.get(self.record.request.source);
        for connection in connections.map_or(&[][..], Vec::as_slice) {
            let matched = holds(connection.when.as_ref(), scope);
            witness.connection(part, connection, matched.as_ref().copied());
            let on_error = connection
                .on_error
                .unwrap_or(self.destination.settings.on_error);
            if matched.map_err(|error| failed(error, on_error, &connection.name))? {
                return Ok(Some(connection));
            }
        }
        Ok(None)
    }

    fn rules<W: Witness>(
        &self,
        event: &Event<'a>,
        scope: &Scope<'a>,
        rendered: &mut Rendered,
        witness: &mut W,
    ) -> Result<(), Stop> {
        let settings = &self.destination.settings;
        let what = || format!("a rule of `{}`", settings.definition.name);
        for rule in &settings.definition.rules {
            let matched = holds(rule.when.as_ref(), scope);
            if !matched.map_err(|error| failed(error, settings.on_error, &what()))? {
                continue;
            }
            return match &rule.action {
                RuleAction::Drop(reason) => Err(Stop::Verdict(Verdict::Dropped(reason.clone()))),
                RuleAction::Reject(reason) => Err(Stop::Verdict(Verdict::Failed(Reason::new(
                    ReasonClass::Refused,
                    reason.to_string(),
                )))),
                RuleAction::Send(sends) => {
                    let mut maker = Maker {
                        walk: self,
                        event,
                        message_id: push(&mut rendered.text, event.message_id.as_bytes()),
                        keys: order_keys(self.record.request.source, event, self.arena),
                        made: 0,
                    };
                    for send in sends {
                        let on_error = send.on_error.unwrap_or(settings.on_error);
                        maker
                            .make(send, scope, rendered, witness)
                            .map_err(|error| failed(error, on_error, &what()))?;
                    }
                    if maker.made == 0 {
                        let nothing = Arc::from("nothing to send");
                        return Err(Stop::Verdict(Verdict::Dropped(nothing)));
                    }
                    Ok(())
                }
            };
        }
        Err(Stop::Verdict(Verdict::Unrouted))
    }
}

/// Makes the items of one event.
struct Maker<'w, 'a> {
    walk: &'w Walk<'a>,
    event: &'w Event<'a>,
    message_id: Range<u32>,
    keys: [Option<OrderKey>; 2],
    made: usize,
}

impl<'a> Maker<'_, 'a> {
    fn make<W: Witness>(
        &mut self,
        send: &'a Send,
        scope: &Scope<'a>,
        rendered: &mut Rendered,
        witness: &mut W,
    ) -> Result<(), EvalError> {
        let on_error = send
            .on_error
            .unwrap_or(self.walk.destination.settings.on_error);
        for_items(send.for_each.as_ref(), scope, |item, index| {
            let scope = Scope {
                item,
                index,
                ..*scope
            };
            if !holds(send.when.as_ref(), &scope)? {
                return Ok(());
            }
            let start = rendered.text.len();
            if !send.map.write(&scope, on_error, &mut rendered.text)? {
                return Ok(());
            }
            let too_large = |message| EvalError {
                code: crate::diagnostic::Code::OutputTooLarge,
                span: self.walk.destination.settings.span,
                message,
            };
            let bytes = rendered.text.len() - start;
            if ITEM_BYTES_MAX < bytes {
                return Err(too_large(format!(
                    "{bytes} bytes; at most {ITEM_BYTES_MAX}"
                )));
            }
            if ITEMS_MAX <= self.made {
                return Err(too_large(format!(
                    "more than {ITEMS_MAX} items from one event"
                )));
            }
            let item = Item {
                part: Part {
                    event: self.event.number,
                    item: u16::try_from(self.made).unwrap_or(u16::MAX),
                },
                lane: LaneId(send.lane),
                keys: self.keys,
                message_id: self.message_id.clone(),
                body: range(start, rendered.text.len()),
            };
            self.made += 1;
            witness.item(&item, rendered.bytes(&item.body));
            rendered.items.push(item);
            Ok(())
        })
    }
}

fn failed(error: EvalError, on_error: OnError, what: &str) -> Stop {
    Stop::Failed {
        error,
        on_error,
        what: what.to_owned(),
    }
}

fn push(text: &mut Vec<u8>, bytes: &[u8]) -> Range<u32> {
    let start = text.len();
    text.extend_from_slice(bytes);
    range(start, text.len())
}

/// A record renders to at most a thousand items of 1 MiB, less than 4 GiB.
fn range(start: usize, end: usize) -> Range<u32> {
    u32::try_from(start).unwrap_or(u32::MAX)..u32::try_from(end).unwrap_or(u32::MAX)
}

/// The event without `context.trackway`, which is nobody's business outside.
fn without_trackway<'a>(event: Value<'a>, arena: &'a Arena) -> Value<'a> {
    let context = event.get("context");
    if context.get("trackway").is_missing() {
        return event;
    }
    let context = arena.object(context.entries(arena).filter(|(key, _)| *key != "trackway"));
    let replaced = event.entries(arena).map(|(key, value)| match key {
        "context" => (key, context),
        _ => (key, value),
    });
    arena.object(replaced)
}

/// Whose order an event keeps: its person, else its group; an alias that of both its people.
fn order_keys(source: &str, event: &Event<'_>, arena: &Arena) -> [Option<OrderKey>; 2] {
    let key = |field: &str| {
        let id = event.value.get(field);
        let text = match id.kind() {
            Kind::Text => id.as_text(arena)?,
            _ => return None,
        };
        Some(order_key(source, text))
    };
    let person = key("userId")
        .or_else(|| key("anonymousId"))
        .or_else(|| key("groupId"));
    let other = (event.kind == EventKind::Alias)
        .then(|| key("previousId"))
        .flatten();
    [person, other.filter(|other| Some(*other) != person)]
}

/// The key of a person of a source. Two ids that share a hash wait for each other, no more.
///
/// FNV-1a, 64 bits: checkpoints keep these keys, so the hash must never change.
pub(super) fn order_key(source: &str, id: &str) -> OrderKey {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    // A byte that no text holds keeps `a` + `bc` apart from `ab` + `c`.
    let bytes = source.bytes().chain([0xff]).chain(id.bytes());
    OrderKey(bytes.fold(OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_keys_are_the_same_in_every_version() {
        assert_eq!(order_key("", ""), OrderKey(0xaf64_724c_8602_eb6e));
        assert_ne!(order_key("a", "bc"), order_key("ab", "c"));
    }
}
