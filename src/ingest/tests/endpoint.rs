//! From a request line to an endpoint, and who may use it.

use std::sync::Arc;

use proptest::prelude::*;

use crate::ingest::Endpoint;
use crate::ingest::Route;
use crate::ingest::auth::Identity;
use crate::ingest::auth::Origin;
use crate::ingest::canonical_target;
use crate::ingest::rejection::Cause;
use crate::ingest::rejection::Envelope;
use crate::ingest::rejection::Rejection;

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

#[test]
fn a_tolerated_target_has_a_canonical_one() {
    for (target, canonical) in [
        ("/api/v1/customers/a%2Fb", "/api/v1/customers/a%2Fb"),
        ("/customers/5", "/api/v1/customers/5"),
        ("//customers/5", "/api/v1/customers/5"),
        ("/api/v1//customers/5/", "/api/v1/customers/5"),
        ("/api/v2//batch", "/api/v2/batch"),
        ("/batch", "/api/v2/batch"),
        ("/push/events", "/push/events"),
        ("//unsubscribe/RPIL", "/unsubscribe/RPIL"),
        (
            "/segments/7/add_customers?id_type=email",
            "/api/v1/segments/7/add_customers?id_type=email",
        ),
        ("http://gateway/api/v1/events", "/api/v1/events"),
    ] {
        assert_eq!(canonical_target(target), canonical, "{target}");
    }
}

proptest! {
    #[test]
    fn a_canonical_target_is_the_same_endpoint(target in "/{1,2}(api/v[12]/{1,2})?(customers/(a|/|%2F){0,9}(/events|/devices)?|events|batch|push/events|unsubscribe/x)/{0,2}") {
        let canonical = canonical_target(&target);
        for method in ["PUT", "POST"] {
            let same = of(method, &canonical).ok();
            prop_assert_eq!(of(method, &target).ok(), same, "{}", &canonical);
        }
        prop_assert_eq!(canonical_target(&canonical), &*canonical);
    }

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
