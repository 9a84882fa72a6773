//! Why a request is refused: who is at fault, what to do about it, and how the client reads it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A refused request: the cause, and the envelope its endpoint wraps errors in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// What is wrong.
    pub cause: Cause,
    /// How the client expects to read it.
    pub envelope: Envelope,
}

impl Rejection {
    /// A rejection of `cause` in `envelope`.
    pub const fn new(cause: Cause, envelope: Envelope) -> Self {
        Self { cause, envelope }
    }
}

/// The shape of an error body. The vendor has three; SDKs print "Unknown error" for the wrong one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// `{"meta":{"errors":["…"]}}`: v1.
    V1List,
    /// `{"meta":{"error":"…"}}`: v1 merge, and answers about no endpoint in particular.
    V1Text,
    /// `{"errors":[{"reason":…,"field":…,"message":…}]}`: v2.
    V2,
}

/// What is wrong with a request, or with us.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// No such path.
    NotFound,
    /// The path exists under other methods.
    WrongMethod {
        /// The value of the `Allow` header.
        allow: &'static str,
    },
    /// A path or a body that the contract refuses.
    Malformed(Box<Fault>),
    /// A batch of which no item is acceptable.
    NothingAccepted(Vec<ItemRefusal>),
    /// A body larger than the endpoint takes. Sending it again cannot help.
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// No credentials where they are needed.
    CredentialsMissing,
    /// Credentials that belong to no source, or a header that cannot be read.
    CredentialsWrong,
    /// No credentials where none are needed, and no default source to take the call.
    NoDefaultSource,
    /// The client paused too long within the body.
    BodyTimeout,
    /// The source sends faster than it may.
    Throttled {
        /// When to come back.
        retry_after: Duration,
    },
    /// Too much is in flight, or the process is about to stop.
    Overloaded {
        /// When to come back.
        retry_after: Duration,
    },
    /// The journal cannot take the call: full, or its disk fails.
    NotStored {
        /// When to come back.
        retry_after: Duration,
    },
}

/// Who has to act on a rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Whoever wrote the request.
    Client,
    /// Whoever runs the gateway.
    Operator,
    /// Nobody: the same request may succeed later.
    Load,
}

impl Cause {
    /// Who has to act.
    pub const fn blame(&self) -> Blame {
        match self {
            Self::NotFound
            | Self::WrongMethod { .. }
            | Self::Malformed(_)
            | Self::NothingAccepted(_)
            | Self::TooLarge { .. }
            | Self::CredentialsMissing
            | Self::CredentialsWrong
            | Self::BodyTimeout => Blame::Client,
            Self::NoDefaultSource | Self::NotStored { .. } => Blame::Operator,
            Self::Throttled { .. } | Self::Overloaded { .. } => Blame::Load,
        }
    }

    /// One word for counters and logs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::WrongMethod { .. } => "wrong_method",
            Self::Malformed(_) => "malformed",
            Self::NothingAccepted(_) => "nothing_accepted",
            Self::TooLarge { .. } => "too_large",
            Self::CredentialsMissing => "credentials_missing",
            Self::CredentialsWrong => "credentials_wrong",
            Self::NoDefaultSource => "no_default_source",
            Self::BodyTimeout => "body_timeout",
            Self::Throttled { .. } => "throttled",
            Self::Overloaded { .. } => "overloaded",
            Self::NotStored { .. } => "not_stored",
        }
    }
}

impl From<Fault> for Cause {
    fn from(fault: Fault) -> Self {
        Self::Malformed(Box::new(fault))
    }
}

impl fmt::Display for Cause {
    /// What the client is told, one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str(
                "no such endpoint; configure the SDK with this host alone, \
                 paths begin with /api/v1 or /api/v2",
            ),
            Self::WrongMethod { allow } => {
                write!(f, "this path does not take that method; allowed: {allow}")
            }
            Self::Malformed(fault) => f.write_str(&fault.message),
            Self::NothingAccepted(refused) => {
                write!(
                    f,
                    "no item of the batch is acceptable ({} refused)",
                    refused.len()
                )
            }
            Self::TooLarge { bytes_max } => {
                write!(
                    f,
                    "the body is larger than {bytes_max} bytes; send less at once"
                )
            }
            Self::CredentialsMissing => f.write_str(
                "no credentials; send Basic authentication with the site id and the API key",
            ),
            Self::CredentialsWrong => f.write_str("wrong site id or API key"),
            Self::NoDefaultSource => f.write_str(
                "no credentials, and this gateway has no default source for requests without; \
                 send Basic authentication with the site id and the API key",
            ),
            Self::BodyTimeout => f.write_str("the body did not arrive in time"),
            Self::Throttled { .. } => f.write_str("too many requests; try again later"),
            Self::Overloaded { .. } => f.write_str("overloaded; try again later"),
            Self::NotStored { .. } => {
                f.write_str("the call could not be stored, nothing was accepted; try again later")
            }
        }
    }
}

/// One thing wrong with a call, as the v2 envelope tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of mistake.
    pub reason: Reason,
    /// Where: the path of a field, or `body`, `path`, `query`.
    pub field: Cow<'static, str>,
    /// What to send instead; a sentence that stands without the field.
    pub message: String,
}

/// The kind of a mistake, a closed set so that clients can compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Something that must be there is not.
    Required,
    /// Something is there and cannot be that.
    Invalid,
    /// Something is longer, larger or more than allowed.
    TooLarge,
}

impl Reason {
    /// The word in the envelope.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Invalid => "invalid",
            Self::TooLarge => "too_large",
        }
    }
}

/// Messages quote what was sent, and what was sent may be long: an answer stays readable and small.
const MESSAGE_BYTES_MAX: usize = 300;

impl Fault {
    /// Something that must be there is not.
    pub fn required(field: impl Into<Cow<'static, str>>, message: impl fmt::Display) -> Self {
        Self::new(Reason::Required, field.into(), &message)
    }

    /// Something is there and cannot be that.
    pub fn invalid(field: impl Into<Cow<'static, str>>, message: impl fmt::Display) -> Self {
        Self::new(Reason::Invalid, field.into(), &message)
    }

    /// Something exceeds a limit.
    pub fn too_large(field: impl Into<Cow<'static, str>>, message: impl fmt::Display) -> Self {
        Self::new(Reason::TooLarge, field.into(), &message)
    }

    fn new(reason: Reason, field: Cow<'static, str>, message: &dyn fmt::Display) -> Self {
        let mut message = message.to_string();
        if MESSAGE_BYTES_MAX < message.len() {
            let cut = (0..=MESSAGE_BYTES_MAX)
                .rev()
                .find(|cut| message.is_char_boundary(*cut));
            message.truncate(cut.unwrap_or(0));
            message.push('…');
        }
        Self {
            reason,
            field,
            message,
        }
    }
}

/// One item of a batch that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRefusal {
    /// Its place in the batch, from 0.
    pub index: u16,
    /// What is wrong with it.
    pub fault: Fault,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_between_characters() {
        let fault = Fault::invalid("name", "ü".repeat(MESSAGE_BYTES_MAX));
        assert_eq!(
            fault.message,
            format!("{}…", "ü".repeat(MESSAGE_BYTES_MAX / 2))
        );
        let short = Fault::invalid("name", "x".repeat(MESSAGE_BYTES_MAX));
        assert_eq!(short.message.len(), MESSAGE_BYTES_MAX);
    }

    #[test]
    fn no_rejection_that_a_retry_could_mend_blames_the_client() {
        let retry_after = Duration::from_secs(1);
        for cause in [
            Cause::Throttled { retry_after },
            Cause::Overloaded { retry_after },
            Cause::NotStored { retry_after },
        ] {
            assert_ne!(cause.blame(), Blame::Client, "{}", cause.word());
        }
    }
}
