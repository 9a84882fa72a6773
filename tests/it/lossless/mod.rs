//! The translation loses nothing: from the events of a call, the call can be rebuilt.
//!
//! `inverse` is the translation backwards, written by hand and independent of the catalogue. Random
//! calls of every operation go through both and must come out as they went in.

mod ingredients;
mod inverse;
mod v1;
mod v2;

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::lossless::ingredients::Request;
use crate::lossless::inverse::rebuilt;
use crate::translation_fixture::Translation;

static TRANSLATION: LazyLock<Translation> = LazyLock::new(Translation::built_in);

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_call_can_be_rebuilt_from_its_events(request in request()) {
        let events = TRANSLATION.events(request.method, &request.path, &request.body);
        let events = events.map_err(TestCaseError::fail)?;
        prop_assert!(!events.is_empty());
        prop_assert_eq!(&rebuilt(&events), &request.body, "{:#?}", events);
    }
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        v1::identify(),
        v1::event(),
        v1::device_of_a_person(),
        v1::message(),
        v1::others(),
        v2::about_a_person(),
        v2::event(),
        v2::device_of_a_person(),
        v2::about_an_object(),
        v2::others(),
    ]
}
