//! What the program runs on: names resolved, defaults filled in, expressions compiled.
//!
//! No `Option` stands for "use the default" and no string means anything but itself. Positions stay
//! where a later stage may still have something to say about them.

mod case;
mod definition;
mod destination;
mod rule;
mod server;
mod source;

pub use case::Case;
pub use case::CaseRequest;
pub use case::DefinitionCase;
pub use case::Expected;
pub use definition::Auth;
pub use definition::BatchSettings;
pub use definition::BodyFormat;
pub use definition::BodySettings;
pub use definition::Definition;
pub use definition::DestinationRule;
pub use definition::HttpSettings;
pub use definition::LaneSettings;
pub use definition::Meaning;
pub use definition::ResponseRule;
pub use definition::Rest;
pub use definition::RetryAfter;
pub use definition::RuleAction;
pub use definition::Send;
pub use definition::SettingKind;
pub use definition::SettingSpec;
pub use definition::Signature;
pub use definition::SinkSettings;
pub use destination::BatchOverride;
pub use destination::DeliverySettings;
pub use destination::DestinationSettings;
pub use destination::Ordering;
pub use destination::Rate;
pub use destination::SettingValue;
pub use destination::Start;
pub use rule::ConnectionAction;
pub use rule::ConnectionSettings;
pub use rule::Emit;
pub use rule::Envelope;
pub use rule::EventKind;
pub use rule::ForEach;
pub use rule::TranslationRule;
pub use server::OnFull;
pub use server::ReloadSettings;
pub use server::ServerSettings;
pub use server::StorageSettings;
pub use server::TestPolicy;
pub use server::TlsSettings;
pub use source::CredentialSettings;
pub use source::ForwardSettings;
pub use source::SecretSource;
pub use source::SourceSettings;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::expr::Table;

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Listeners and limits.
    pub server: ServerSettings,
    /// The journal.
    pub storage: StorageSettings,
    /// How edits go live.
    pub reload: ReloadSettings,
    /// Who sends, in the order of the file.
    pub sources: Vec<SourceSettings>,
    /// Where events go, in the order of the file.
    pub destinations: Vec<DestinationSettings>,
    /// The envelope every emitted event starts from.
    pub envelope: Envelope,
    /// Call → events: the file's own rules first, then the built-in ones. The first match wins.
    pub translation: Vec<TranslationRule>,
    /// Event → destinations, in order.
    pub connections: Vec<ConnectionSettings>,
    /// Inline tests.
    pub cases: Vec<Case>,
    /// Every file that was read, main file first: what a reload watches.
    pub inputs: Vec<PathBuf>,
}

/// The lookup tables of a configuration by name, shared by all its expressions.
pub type Tables = Arc<BTreeMap<String, Table>>;
