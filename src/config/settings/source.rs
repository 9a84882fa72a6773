//! Who sends: sources, their credentials, and secrets.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::settings::DeliverySettings;
use crate::text::Span;

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSettings {
    /// The key in the file.
    pub id: Arc<str>,
    /// The name people see, shown as "Journeys API: NAME".
    pub name: String,
    /// What it may authenticate with; several allow rotation.
    pub credentials: Vec<CredentialSettings>,
    /// Where the original calls go as well, `https://track.customer.io`.
    pub forward: Option<ForwardSettings>,
    /// Where the source is defined.
    pub span: Span,
}

impl SourceSettings {
    /// How people see it: "Journeys API: NAME".
    pub fn title(&self) -> String {
        format!("Journeys API: {}", self.name)
    }
}

/// One set of Track API credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialSettings {
    /// The user name of Basic authentication; no secret.
    pub site_id: Arc<str>,
    /// The password.
    pub api_key: SecretSource,
}

/// The real Track API a source's calls are passed on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardSettings {
    /// Scheme and host, without a path.
    pub url: http::Uri,
    /// How it is delivered; named `forward:SOURCE` everywhere.
    pub delivery: DeliverySettings,
}

/// Where a secret comes from. The text itself is read by whoever needs it, and printed by nobody.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretSource {
    /// `secret://env/NAME`.
    Environment(String),
    /// `secret://file/path`, re-read when it changes; one trailing newline is not part of it.
    File(PathBuf),
    /// Written in the file, or interpolated into it from the environment.
    Plain(String),
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "secret://env/{name}"),
            Self::File(path) => write!(f, "secret://file{}", path.display()),
            Self::Plain(_) => f.write_str("***"),
        }
    }
}
