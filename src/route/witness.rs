//! Looking on while a call is routed.

use crate::config::settings::ConnectionSettings;
use crate::event::Item;
use crate::event::delivery::Part;
use crate::event::delivery::Verdict;
use crate::expr::EvalError;
use crate::value::Value;

/// Is told of every step of a walk. Every method does nothing unless implemented, so the walk that
/// delivers pays for none of it.
pub trait Witness {
    /// A translation rule was tried: by its name, whether it matched.
    fn rule(&mut self, name: &str, matched: Result<bool, &EvalError>) {
        let _ = (name, matched);
    }

    /// An event was made.
    fn event(&mut self, part: Part, event: Value<'_>) {
        let _ = (part, event);
    }

    /// A connection was tried on an event.
    fn connection(
        &mut self,
        part: Part,
        connection: &ConnectionSettings,
        matched: Result<bool, &EvalError>,
    ) {
        let _ = (part, connection, matched);
    }

    /// A connection's mapping made this of the event.
    fn mapped(&mut self, part: Part, event: Value<'_>) {
        let _ = (part, event);
    }

    /// The destination is to be sent this.
    fn item(&mut self, item: &Item, body: &[u8]) {
        let _ = (item, body);
    }

    /// The event is not sent.
    fn verdict(&mut self, part: Part, verdict: &Verdict) {
        let _ = (part, verdict);
    }
}

impl Witness for () {}
