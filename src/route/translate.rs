//! Call → events: the first rule that matches, its events in order, each from the envelope.

use std::fmt::Write as _;

use crate::config::settings::EventKind;
use crate::config::settings::ForEach;
use crate::diagnostic::Code;
use crate::event::Api;
use crate::event::Record;
use crate::event::delivery::Part;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;
use crate::event::delivery::Verdict;
use crate::event::record::ParamsRef;
use crate::expr::EvalError;
use crate::expr::Program;
use crate::expr::Scope;
use crate::expr::scope::Budget;
use crate::expr::template::OnError;
use crate::route::plan::Emit;
use crate::route::plan::Plan;
use crate::route::plan::Rule;
use crate::route::plan::Translator;
use crate::route::witness::Witness;
use crate::value::Arena;
use crate::value::Kind;
use crate::value::Number;
use crate::value::ParseLimits;
use crate::value::Value;
use crate::value::parse;

/// Most events one call may become: the largest segment call has 1,000 people.
pub const EVENTS_MAX: usize = 1_000;

/// An event: what a call became, in Data Pipelines format.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Its number among those of the call.
    pub number: u16,
    /// Its type.
    pub kind: EventKind,
    /// All of it.
    pub value: Value<'a>,
    /// Its message id.
    pub message_id: &'a str,
}

impl Event<'_> {
    /// The part that stands for the event as a whole.
    pub const fn part(&self) -> Part {
        Part {
            event: self.number,
            item: 0,
        }
    }
}

/// What every expression about a call can see; see `config::vocabulary::CALL` for the order.
pub(super) fn call_variables<'a>(record: &Record<'a>, arena: &'a Arena) -> [Value<'a>; 5] {
    [
        Value::Text(record.operation.name()),
        Value::Text(record.api.name()),
        Value::Text(record.request.source),
        params(&record.params, arena),
        Value::Time(record.request.accepted_at),
    ]
}

fn params<'a>(params: &ParamsRef<'a>, arena: &'a Arena) -> Value<'a> {
    let text = |text: Option<&'a str>| text.map_or(Value::Missing, Value::Text);
    arena.object([
        ("id", text(params.id)),
        ("device_id", text(params.device_id)),
        ("segment_id", text(params.segment_id)),
        ("id_type", text(params.id_type)),
        ("form_id", text(params.form_id)),
        ("delivery_id", text(params.delivery_id)),
    ])
}

/// The budget of a record: its seed makes `uuid()` the same on every walk.
pub(super) fn budget(record: &Record<'_>) -> Budget {
    let item = record.item.map_or(0, |item| u128::from(item) + 1);
    Budget::new(record.request.id.0 ^ item)
}

/// The id of a record, `ULID` or `ULID-ITEM`.
fn record_id<'a>(record: &Record<'a>, arena: &'a Arena) -> Value<'a> {
    let mut digits = [0; ulid::ULID_LEN];
    let id = record.request.id.array_to_str(&mut digits);
    let mut text = arena.string();
    text.push_str(id);
    if let (Api::V2, Some(item)) = (record.api, record.item) {
        // Writing to a string cannot fail.
        let _ = write!(text, "-{item}");
    }
    Value::Text(text.into_bump_str())
}

/// Why a call gives no events.
#[derive(Debug)]
pub(super) struct Failure {
    error: EvalError,
    on_error: OnError,
    what: String,
}

impl Failure {
    /// What becomes of the event, or of the call.
    pub(super) fn verdict(&self) -> Verdict {
        match self.on_error {
            OnError::Drop => Verdict::Dropped(format!("{} failed", self.what).into()),
            OnError::DeadLetter | OnError::OmitField => {
                Verdict::Failed(mapping_reason(&self.what, &self.error))
            }
        }
    }
}

/// The reason of a failed rule or mapping: code, who, what.
pub(super) fn mapping_reason(what: &str, error: &EvalError) -> Reason {
    Reason::new(
        ReasonClass::Mapping,
        format!("{}: {what}: {}", error.code, error.message),
    )
}

impl Translator {
    /// The events of a record. No rule that matches gives none.
    pub(super) fn translate<'a, W: Witness>(
        &'a self,
        record: &Record<'a>,
        (arena, budget): (&'a Arena, &'a Budget),
        witness: &mut W,
    ) -> Result<&'a [Event<'a>], Failure> {
        let body = parse(record.body, ParseLimits::default(), arena).unwrap_or(Value::Missing);
        let mut variables = arena.vec_with_capacity(8 + self.lets.len());
        variables.extend_from_slice(&call_variables(record, arena));
        variables.push(record_id(record, arena));
        variables.extend_from_slice(&[Value::Missing, Value::Missing]);
        let part_at = variables.len() - 2;
        for program in &self.lets {
            let scope = scope(body, arena_slice(arena, &variables), arena, budget);
            let value = program
                .eval(&scope)
                .map_err(|error| failure(error, OnError::DeadLetter, "the envelope"))?;
            variables.push(value);
        }
        let scope_of_rules = scope(body, arena_slice(arena, &variables), arena, budget);
        let Some(rule) = self.matching(record, &scope_of_rules, witness)? else {
            return Ok(&[]);
        };
        let planned = rule
            .planned(&scope_of_rules)
            .map_err(|error| failure(error, rule.on_error, &rule.name))?;
        let mut events = arena.vec_with_capacity(planned.len());
        for (number, occasion) in (0_u16..).zip(planned) {
            if let Some(slots) = variables.get_mut(part_at..part_at + 2) {
                slots.copy_from_slice(&[int(number.into()), int(planned.len())]);
            }
            let variables = arena_slice(arena, &variables);
            let scope = Scope {
                item: occasion.item,
                index: occasion.index,
                variables,
                ..scope_of_rules
            };
            let value = occasion
                .emit
                .event
                .build(&scope, rule.on_error)
                .map_err(|error| failure(error, rule.on_error, &rule.name))?;
            let message_id = value.get("messageId").as_text(arena).unwrap_or("");
            let event = Event {
                number,
                kind: occasion.emit.kind,
                value,
                message_id,
            };
            witness.event(event.part(), value);
            events.push(event);
        }
        Ok(events.into_bump_slice())
    }

    fn matching<'a, W: Witness>(
        &'a self,
        record: &Record<'_>,
        scope: &Scope<'a>,
        witness: &mut W,
    ) -> Result<Option<&'a Rule>, Failure> {
        let candidates = self
            .by_operation
            .get(&record.operation)
            .map_or(&[][..], Vec::as_slice);
        for rule in candidates.iter().filter_map(|at| self.rules.get(*at)) {
            let source = record.request.source;
            if !rule.sources.is_empty() && !rule.sources.iter().any(|name| &**name == source) {
                continue;
            }
            let matched = holds(rule.when.as_ref(), scope);
            witness.rule(&rule.name, matched.as_ref().copied());
            if matched.map_err(|error| failure(error, rule.on_error, &rule.name))? {
                return Ok(Some(rule));
            }
        }
        Ok(None)
    }
}

impl Plan {
    /// Walks a record through translation alone; the witness sees the events. Says why there are
    /// none if the rules failed.
    pub fn events<W: Witness>(
        &self,
        record: &Record<'_>,
        arena: &mut Arena,
        witness: &mut W,
    ) -> Option<Verdict> {
        arena.reset();
        let budget = budget(record);
        let events = self.translator.translate(record, (arena, &budget), witness);
        events.err().map(|failure| failure.verdict())
    }
}

/// One event that will be made: which, and for which item.
#[derive(Clone, Copy)]
struct Occasion<'a> {
    emit: &'a Emit,
    item: Value<'a>,
    index: Value<'a>,
}

impl Rule {
    /// Which events will be made. Known before the first is, because each says how many there are.
    fn planned<'a>(&'a self, scope: &Scope<'a>) -> Result<&'a [Occasion<'a>], EvalError> {
        let mut planned = scope.arena.vec_with_capacity(self.emit.len());
        for emit in &self.emit {
            for_items(emit.for_each.as_ref(), scope, |item, index| {
                let scope = Scope {
                    item,
                    index,
                    ..*scope
                };
                if holds(emit.when.as_ref(), &scope)? {
                    planned.push(Occasion { emit, item, index });
                }
                Ok(())
            })?;
        }
        if EVENTS_MAX < planned.len() {
            return Err(EvalError {
                code: Code::TooManyEvents,
                span: self.span,
                message: format!(
                    "{} events from one call; at most {EVENTS_MAX}",
                    planned.len()
                ),
            });
        }
        Ok(planned.into_bump_slice())
    }
}

/// Calls `make` once without `for_each`, else once for each item of its list.
///
/// # Errors
///
/// What `make` or the list fails with, and a list that is longer than its `max` or no list.
pub(super) fn for_items<'a>(
    for_each: Option<&'a ForEach>,
    scope: &Scope<'a>,
    mut make: impl FnMut(Value<'a>, Value<'a>) -> Result<(), EvalError>,
) -> Result<(), EvalError> {
    let Some(for_each) = for_each else {
        return make(scope.item, scope.index);
    };
    let list = for_each.list.eval(scope)?;
    let wrong = |code, message| {
        Err(EvalError {
            code,
            span: for_each.list.source().whole_span(),
            message,
        })
    };
    match list.kind() {
        Kind::List => {}
        Kind::Missing | Kind::Null => return Ok(()),
        kind => {
            let message = format!("`for_each` needs a list, this is a {}", kind.word());
            return wrong(Code::WrongKindAtRunTime, message);
        }
    }
    let items = list.items();
    if (for_each.max as usize) < items.len() {
        let message = format!("{} items; `max` is {}", items.len(), for_each.max);
        return wrong(Code::TooManyEvents, message);
    }
    items
        .enumerate()
        .try_for_each(|(index, item)| make(item, int(index)))
}

/// Whether a condition holds; one that is not there does.
pub(super) fn holds(when: Option<&Program>, scope: &Scope<'_>) -> Result<bool, EvalError> {
    when.map_or(Ok(true), |when| when.holds(scope))
}

pub(super) fn int(n: usize) -> Value<'static> {
    Value::Number(Number::Int(i64::try_from(n).unwrap_or(i64::MAX)))
}

pub(super) const fn scope<'a>(
    root: Value<'a>,
    variables: &'a [Value<'a>],
    arena: &'a Arena,
    budget: &'a Budget,
) -> Scope<'a> {
    Scope {
        root,
        item: Value::Missing,
        index: Value::Missing,
        variables,
        arena,
        budget,
    }
}

fn arena_slice<'a>(arena: &'a Arena, values: &[Value<'a>]) -> &'a [Value<'a>] {
    let mut copy = arena.vec_with_capacity(values.len());
    copy.extend_from_slice(values);
    copy.into_bump_slice()
}

fn failure(error: EvalError, on_error: OnError, what: &str) -> Failure {
    Failure {
        error,
        on_error,
        what: what.to_owned(),
    }
}
