//! Which operation a request line asks for.
//!
//! The target is matched as it was sent and each part of it percent-decoded once, afterwards: `%2F`
//! inside an id is not a separator, `+` is a plus, `..` and `//` mean nothing. SDKs that are given
//! the bare host, or a URL with a slash too many, leave `/api/v1` out or send empty segments in front
//! of the resource; both are tolerated, because a redirect would lose their bodies and credentials.
//!
//! Some clients send ids with raw slashes. The known words at the end of the path (`/events`,
//! `/devices/…`) are cut off first and the rest is the id; an id that itself ends in such a word has
//! to be encoded.

use std::borrow::Cow;
use std::sync::Arc;

use http::Method;

use crate::event::Api;
use crate::event::Params;
use crate::ingest::auth::Identity;
use crate::ingest::auth::Origin;
use crate::ingest::body::Limits;
use crate::ingest::path;
use crate::ingest::path::Base;
use crate::ingest::path::Found;
use crate::ingest::path::Part;
use crate::ingest::rejection::Cause;
use crate::ingest::rejection::Envelope;
use crate::ingest::rejection::Fault;
use crate::ingest::rejection::Rejection;

/// One operation of the inbound API, with what its path and query said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    route: Route,
    params: Params,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `PUT /api/v1/customers/{id}`.
    Identify,
    /// `DELETE /api/v1/customers/{id}`.
    Delete,
    /// `PUT /api/v1/customers/{id}/devices`.
    AddDevice,
    /// `DELETE /api/v1/customers/{id}/devices/{device_id}`.
    DeleteDevice,
    /// `POST /api/v1/customers/{id}/suppress`.
    Suppress,
    /// `POST /api/v1/customers/{id}/unsuppress`.
    Unsuppress,
    /// `POST /api/v1/customers/{id}/events`.
    Event,
    /// `POST /api/v1/events`.
    AnonymousEvent,
    /// `POST /api/v1/merge_customers`.
    Merge,
    /// `POST /api/v1/segments/{segment_id}/add_customers`.
    SegmentAdd,
    /// `POST /api/v1/segments/{segment_id}/remove_customers`.
    SegmentRemove,
    /// `POST /api/v1/forms/{form_id}/submit`.
    Form,
    /// `POST /api/v1/metrics`.
    Metrics,
    /// `POST /push/events` and `POST /api/v1/push/events`.
    Push,
    /// `POST /api/v1/cio_deliveries/events`.
    InApp,
    /// `POST /unsubscribe/{delivery_id}`.
    Unsubscribe,
    /// `GET /api/v1/accounts/region`.
    Region,
    /// `GET /auth`: are these credentials good?
    Auth,
    /// `POST /api/v2/entity`.
    Entity,
    /// `POST /api/v2/batch`.
    Batch,
}

/// Whether an endpoint asks who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only with credentials of a source.
    Credentials,
    /// With credentials if there are any, else as the default source: phones and browsers report
    /// metrics without.
    Open,
}

impl Endpoint {
    /// The endpoint of a request line. `target` is what stood there, undecoded.
    ///
    /// `OPTIONS` has no endpoint: a preflight is answered alike wherever it asks.
    ///
    /// # Errors
    ///
    /// 404 and 405; 400 when a part of the path is empty, too long, or not percent-encoded UTF-8.
    pub fn of(method: &Method, target: &str) -> Result<Self, Rejection> {
        let (path, query) = path::split_target(target);
        let (base, rest) = path::split_base(path);
        let envelope = if base == Base::V2 {
            Envelope::V2
        } else {
            Envelope::V1Text
        };
        let found =
            path::find(base, rest).ok_or_else(|| Rejection::new(Cause::NotFound, envelope))?;
        let route = found.route(method).ok_or_else(|| {
            Rejection::new(
                Cause::WrongMethod {
                    allow: found.allow(),
                },
                envelope,
            )
        })?;
        let mut endpoint = Self {
            route,
            params: Params::default(),
        };
        match endpoint.read(&found, query) {
            Ok(()) => Ok(endpoint),
            Err(fault) => Err(route.reject(Cause::from(fault))),
        }
    }

    fn read(&mut self, found: &Found<'_>, query: &str) -> Result<(), Fault> {
        for (part, raw) in found.parts() {
            let text = Some(part.decode(raw)?);
            match part {
                Part::Person => self.params.id = text,
                Part::Device => self.params.device_id = text,
                Part::Segment => self.params.segment_id = text,
                Part::Form => self.params.form_id = text,
                Part::Delivery => self.params.delivery_id = text,
            }
        }
        match self.route {
            Route::SegmentAdd | Route::SegmentRemove => {
                self.params.id_type = path::id_type(query)?;
                Ok(())
            }
            Route::DeleteDevice if self.params.device_id.is_none() => Err(Fault::required(
                "path",
                "the path names no device: …/devices/{device_id}",
            )),
            _ => Ok(()),
        }
    }

    /// What is asked for.
    pub const fn route(&self) -> Route {
        self.route
    }

    /// What the path and the query said.
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// The largest body it takes, in bytes: there is no use in reading more than one byte beyond.
    pub const fn body_bytes_max(&self, limits: &Limits) -> usize {
        self.route.body_bytes_max(limits)
    }

    /// The rejection of a request, in the envelope that clients of this endpoint read.
    pub const fn reject(&self, cause: Cause) -> Rejection {
        self.route.reject(cause)
    }

    /// Whom the request is from, if it may come in.
    ///
    /// # Errors
    ///
    /// 401 for wrong credentials, and for none where they are needed. 400 for none where they are not,
    /// when there is no default source.
    pub fn admit(
        &self,
        identity: Identity,
        default_source: Option<&Arc<str>>,
    ) -> Result<Origin, Rejection> {
        let cause = match (identity, self.route.access(), default_source) {
            (Identity::Known(origin), ..) => return Ok(origin),
            (Identity::Absent, Access::Open, Some(source)) => {
                return Ok(Origin {
                    source: Arc::clone(source),
                    site_id: None,
                });
            }
            (Identity::Absent, Access::Open, None) => Cause::NoDefaultSource,
            (Identity::Absent, Access::Credentials, _) => Cause::CredentialsMissing,
            // Not the default source's: a call would be filed under a name it does not carry.
            (Identity::Wrong, ..) => Cause::CredentialsWrong,
        };
        Err(self.route.reject(cause))
    }
}

/// The target that the vendor's documentation gives a path, where a tolerated one stood: what a
/// request has to go on with to somebody who is less tolerant. The path's parts stay undecoded.
pub fn canonical_target(target: &str) -> Cow<'_, str> {
    let (path, query) = path::split_target(target);
    let (base, rest) = path::split_base(path);
    let base = match base {
        Base::V2 => "/api/v2/",
        Base::Root if path::root(rest).is_some() => "/",
        Base::Root if path::v2(rest).is_some() => "/api/v2/",
        // The vendor has it under both, and SDKs that send it are given the root.
        Base::Root if rest.starts_with("push/") => "/",
        Base::V1 | Base::Root => "/api/v1/",
    };
    let (mark, query) = if query.is_empty() {
        ("", "")
    } else {
        ("?", query)
    };
    if target.len() == base.len() + rest.len() + mark.len() + query.len() {
        return Cow::Borrowed(target);
    }
    Cow::Owned(format!("{base}{rest}{mark}{query}"))
}

impl Route {
    /// The version of the API it belongs to.
    pub const fn api(self) -> Api {
        match self {
            Self::Entity | Self::Batch => Api::V2,
            _ => Api::V1,
        }
    }

    /// Whether it needs credentials.
    pub const fn access(self) -> Access {
        match self {
            Self::Metrics | Self::Push | Self::InApp | Self::Unsubscribe => Access::Open,
            _ => Access::Credentials,
        }
    }

    const fn body_bytes_max(self, limits: &Limits) -> usize {
        match self {
            Self::Entity => limits.entity_bytes_max,
            Self::Batch => limits.batch_bytes_max,
            _ => limits.v1_bytes_max,
        }
    }

    /// Whether everything is said in the path. SDKs send `{}`, nothing, or nothing as a form.
    pub(super) const fn ignores_body(self) -> bool {
        matches!(
            self,
            Self::Delete
                | Self::DeleteDevice
                | Self::Suppress
                | Self::Unsuppress
                | Self::Region
                | Self::Auth
        )
    }

    const fn reject(self, cause: Cause) -> Rejection {
        let envelope = match (self, &cause) {
            (Self::Entity | Self::Batch, _) => Envelope::V2,
            (Self::Merge, _) => Envelope::V1Text,
            (_, Cause::Malformed(_)) => Envelope::V1List,
            _ => Envelope::V1Text,
        };
        Rejection::new(cause, envelope)
    }
}
