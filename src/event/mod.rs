//! What travels: calls as received, events in Data Pipelines format, and what becomes of them.
//!
//! `ingest`, `route` and `deliver` know nothing of each other; what passes between them is defined
//! here. A [`Receipt`] and its [`Call`]s go into the journal, a [`Record`] comes out of it, the
//! traits of [`delivery`] turn records into requests and answers into outcomes.

pub mod call;
pub mod delivery;
pub mod operation;
pub mod record;

pub use call::Api;
pub use call::Call;
pub use call::Params;
pub use call::Receipt;
pub use delivery::Item;
pub use operation::Operation;
pub use record::Record;
