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

    pub(super) fn into_params(self) -> Params {
        self.params
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

    /// The largest body it takes, in bytes: there is no use in reading more than one byte beyond.
    pub const fn body_bytes_max(self, limits: &Limits) -> usize {
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

    /// The rejection of a request, in the envelope that clients of this route read.
    pub const fn reject(self, cause: Cause) -> Rejection {
        let envelope = match (self, &cause) {
            (Self::Entity | Self::Batch, _) => Envelope::V2,
            (Self::Merge, _) => Envelope::V1Text,
            (_, Cause::Malformed(_)) => Envelope::V1List,
            _ => Envelope::V1Text,
        };
        Rejection::new(cause, envelope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(method: &str, target: &str) -> Result<Endpoint, Rejection> {
        Endpoint::of(&method.parse().unwrap(), target)
    }

    fn person(method: &str, target: &str) -> (Route, String) {
        let endpoint = of(method, target).unwrap_or_else(|error| panic!("{target}: {error:?}"));
        (
            endpoint.route(),
            endpoint.params().id.clone().unwrap_or_default(),
        )
    }

    #[test]
    fn every_operation_has_its_path() {
        for (method, target, route) in [
            ("PUT", "/api/v1/customers/5", Route::Identify),
            ("DELETE", "/api/v1/customers/5", Route::Delete),
            ("PUT", "/api/v1/customers/5/devices", Route::AddDevice),
            (
                "DELETE",
                "/api/v1/customers/5/devices/t",
                Route::DeleteDevice,
            ),
            ("POST", "/api/v1/customers/5/suppress", Route::Suppress),
            ("POST", "/api/v1/customers/5/unsuppress", Route::Unsuppress),
            ("POST", "/api/v1/customers/5/events", Route::Event),
            ("POST", "/api/v1/events", Route::AnonymousEvent),
            ("POST", "/api/v1/merge_customers", Route::Merge),
            (
                "POST",
                "/api/v1/segments/7/add_customers",
                Route::SegmentAdd,
            ),
            (
                "POST",
                "/api/v1/segments/7/remove_customers",
                Route::SegmentRemove,
            ),
            ("POST", "/api/v1/forms/contact%20us/submit", Route::Form),
            ("POST", "/api/v1/metrics", Route::Metrics),
            ("POST", "/api/v1/push/events", Route::Push),
            ("POST", "/push/events", Route::Push),
            ("POST", "/api/v1/cio_deliveries/events", Route::InApp),
            ("GET", "/api/v1/accounts/region", Route::Region),
            ("POST", "/unsubscribe/RPIL", Route::Unsubscribe),
            ("GET", "/auth", Route::Auth),
            ("HEAD", "/auth", Route::Auth),
            ("POST", "/api/v2/entity", Route::Entity),
            ("POST", "/api/v2/batch", Route::Batch),
            // A bare host, a slash too many, a slash at the end, an absolute target.
            ("PUT", "/customers/5", Route::Identify),
            ("POST", "/batch", Route::Batch),
            ("PUT", "//customers/5", Route::Identify),
            ("PUT", "//api/v1/customers/5", Route::Identify),
            ("PUT", "/api/v1//customers/5", Route::Identify),
            ("POST", "/api/v2//batch", Route::Batch),
            ("POST", "/api/v1/events/", Route::AnonymousEvent),
            (
                "PUT",
                "https://track.example.com/api/v1/customers/5?x=y",
                Route::Identify,
            ),
        ] {
            assert_eq!(
                of(method, target).map(|found| found.route()),
                Ok(route),
                "{method} {target}"
            );
        }
    }

    #[test]
    fn an_id_is_decoded_once_after_the_path_is_split() {
        for (raw, id) in [
            ("a%2Bb%40example.com", "a+b@example.com"),
            ("a+b@example.com", "a+b@example.com"),
            ("a%2Fb%20c%3Fd%23e%25f!'()*%C3%BC", "a/b c?d#e%f!'()*ü"),
            (
                "a%2Fb%20c%3Fd%23e%25f%21%27%28%29%2A%3B%2C=&$:%C3%BC",
                "a/b c?d#e%f!'()*;,=&$:ü",
            ),
            ("a/b", "a/b"),
            ("a/b%20c?d", "a/b c"),
            ("tok%253A", "tok%3A"),
            ("..", ".."),
            ("%2E%2E", ".."),
            ("0", "0"),
            ("cio_03000001", "cio_03000001"),
            ("a%2Fevents", "a/events"),
            ("events", "events"),
            ("a/../b", "a/../b"),
        ] {
            let target = format!("/api/v1/customers/{raw}");
            assert_eq!(
                person("PUT", &target),
                (Route::Identify, id.to_owned()),
                "{raw}"
            );
        }
    }

    #[test]
    fn known_words_are_cut_off_an_id_with_raw_slashes() {
        for (method, behind, route, id) in [
            ("POST", "a/b/events", Route::Event, "a/b"),
            ("POST", "a/b/suppress", Route::Suppress, "a/b"),
            ("POST", "a/b/unsuppress", Route::Unsuppress, "a/b"),
            ("POST", "events/events", Route::Event, "events"),
            ("PUT", "a/b/devices", Route::AddDevice, "a/b"),
            ("DELETE", "a/b/devices/t", Route::DeleteDevice, "a/b"),
            (
                "DELETE",
                "a/devices/devices/t",
                Route::DeleteDevice,
                "a/devices",
            ),
            ("DELETE", "devices", Route::Delete, "devices"),
        ] {
            let target = format!("/api/v1/customers/{behind}");
            assert_eq!(person(method, &target), (route, id.to_owned()), "{target}");
        }
        let device = of("DELETE", "/api/v1/customers/5/devices/tok:en%2Fwi/th+chars").unwrap();
        assert_eq!(
            device.params().device_id.as_deref(),
            Some("tok:en/wi/th+chars")
        );
    }

    #[test]
    fn what_is_not_there_is_404_and_never_a_redirect() {
        for target in [
            "/",
            "",
            "/api/v1",
            "/api/v1/",
            "/api/v3/batch",
            "/api/v1x/events",
            "/prefix/api/v1/customers/5",
            "/api/v1/batch",
            "/api/v2/customers/5",
            "/api/v1/auth",
            "/api/v1/segments/7",
            "/api/v1/forms/submit",
            "/api/v1/events/identify.gif",
            "/api/v1/customer%73/5",
            "/api//v1/events",
        ] {
            assert_eq!(
                of("POST", target).map_err(|r| r.cause),
                Err(Cause::NotFound),
                "{target}"
            );
        }
    }

    #[test]
    fn another_method_is_405_with_those_that_work() {
        for (method, target, allow) in [
            ("POST", "/api/v1/customers/5", "PUT, DELETE, OPTIONS"),
            ("GET", "/api/v1/customers", "PUT, DELETE, OPTIONS"),
            ("PUT", "/api/v1/customers/5/events", "POST, OPTIONS"),
            ("POST", "/api/v1/customers/5/devices", "PUT, OPTIONS"),
            ("PUT", "/api/v1/customers/5/devices/t", "DELETE, OPTIONS"),
            ("POST", "/auth", "GET, HEAD, OPTIONS"),
            ("PATCH", "/api/v2/batch", "POST, OPTIONS"),
        ] {
            let cause = of(method, target).unwrap_err().cause;
            assert_eq!(cause, Cause::WrongMethod { allow }, "{method} {target}");
        }
    }

    #[test]
    fn a_part_that_cannot_be_is_400_and_says_why() {
        let long = format!("/customers/{}", "x".repeat(151));
        for (method, target, message) in [
            (
                "PUT",
                "/api/v1/customers/",
                "the customer id in the path is empty",
            ),
            (
                "PUT",
                "/api/v1/customers",
                "the customer id in the path is empty",
            ),
            (
                "DELETE",
                "/api/v1/customers/%20",
                "the customer id in the path is empty",
            ),
            (
                "POST",
                "/api/v1/customers//events",
                "the customer id in the path is empty",
            ),
            (
                "DELETE",
                "/api/v1/customers/5/devices/",
                "the path names no device",
            ),
            (
                "DELETE",
                "/api/v1/customers/5/devices",
                "the path names no device",
            ),
            (
                "POST",
                "/unsubscribe/",
                "the delivery id in the path is empty",
            ),
            (
                "POST",
                "/api/v1/forms//submit",
                "the form id in the path is empty",
            ),
            ("PUT", "/api/v1/customers/100%", "write % as %25"),
            ("PUT", "/api/v1/customers/%ff", "not UTF-8"),
            ("PUT", &long, "at most 150 bytes, this one has 151"),
            (
                "POST",
                "/api/v1/segments/vip/add_customers",
                "must be a number, not \"vip\"",
            ),
            (
                "POST",
                "/api/v1/segments/7/add_customers?id_type=phone",
                "must be id, email or cio_id",
            ),
        ] {
            let rejection = of(method, target).unwrap_err();
            assert_eq!(rejection.envelope, Envelope::V1List, "{target}");
            assert!(matches!(rejection.cause, Cause::Malformed(_)), "{target}");
            let said = rejection.cause.to_string();
            assert!(said.contains(message), "{target}: {said}");
        }
    }

    #[test]
    fn an_id_of_the_longest_length_is_taken() {
        let id = "x".repeat(150);
        assert_eq!(person("PUT", &format!("/customers/{id}")).1, id);
        let email = format!("{}@example.com", "x".repeat(242));
        assert_eq!(person("PUT", &format!("/customers/{email}")).1, email);
        assert!(of("PUT", &format!("/customers/x{email}")).is_err());
    }

    #[test]
    fn the_query_says_what_segment_ids_are() {
        let id_type = |query| {
            let target = format!("/api/v1/segments/7/add_customers{query}");
            of("POST", &target).unwrap().params().id_type.clone()
        };
        assert_eq!(id_type(""), None);
        assert_eq!(id_type("?x&y=1&id_type=email"), Some("email".to_owned()));
        assert_eq!(
            id_type("?id_type=cio_id&id_type=x"),
            Some("cio_id".to_owned())
        );
    }

    #[test]
    fn credentials_are_needed_where_the_vendor_needs_them() {
        let source: Arc<str> = "fallback".into();
        let known = || {
            Identity::Known(Origin {
                source: "web".into(),
                site_id: Some("s".into()),
            })
        };
        for (method, target, open) in [
            ("PUT", "/api/v1/customers/5", false),
            ("POST", "/api/v2/batch", false),
            ("GET", "/auth", false),
            ("GET", "/api/v1/accounts/region", false),
            ("POST", "/api/v1/metrics", true),
            ("POST", "/push/events", true),
            ("POST", "/api/v1/push/events", true),
            ("POST", "/api/v1/cio_deliveries/events", true),
            ("POST", "/unsubscribe/x", true),
        ] {
            let endpoint = of(method, target).unwrap();
            let cause = |identity, default| {
                endpoint
                    .admit(identity, default)
                    .map_err(|rejection| rejection.cause)
            };
            assert_eq!(
                &*cause(known(), Some(&source)).unwrap().source,
                "web",
                "{target}"
            );
            assert_eq!(
                cause(Identity::Wrong, Some(&source)),
                Err(Cause::CredentialsWrong)
            );
            let absent = cause(Identity::Absent, Some(&source));
            let without = cause(Identity::Absent, None);
            if open {
                let origin = Origin {
                    source: Arc::clone(&source),
                    site_id: None,
                };
                assert_eq!(absent, Ok(origin), "{target}");
                assert_eq!(without, Err(Cause::NoDefaultSource), "{target}");
            } else {
                assert_eq!(absent, Err(Cause::CredentialsMissing), "{target}");
                assert_eq!(without, Err(Cause::CredentialsMissing), "{target}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_target_panics(target in r"(/|//|/api/v1/|/api/v2/|)(customers|segments|forms|unsubscribe|)[/%a-f0-9?=.]*.*") {
            for method in ["GET", "PUT", "POST", "DELETE"] {
                drop(of(method, &target));
            }
        }

        #[test]
        fn an_encoded_id_comes_back_as_it_was(id in "[^ \t\n\r].{0,30}") {
            prop_assume!(id.len() <= 150 && !id.trim().is_empty());
            let raw = percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC);
            for (method, behind) in [("PUT", ""), ("POST", "/events"), ("PUT", "/devices")] {
                prop_assert_eq!(person(method, &format!("/api/v1/customers/{raw}{behind}")).1, id.clone());
            }
        }
    }
}
