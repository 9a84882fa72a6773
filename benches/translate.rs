//! Translation, bytes to bytes: the plan against hand-written code that does the same, in one run.
//!
//! ```text
//! cargo bench --bench translate
//! ```
//!
//! Prints nanoseconds for one call and the ratio of each pair of rounds; machines are noisy, so only
//! the ratios of a run are worth quoting. With `--test` it runs once and checks that all agree.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, measures, and fails by panicking"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serde_json::Value;
use serde_json::json;
use trackway::clock::Timestamp;
use trackway::config;
use trackway::config::settings::SecretSource;
use trackway::event::Api;
use trackway::event::Call;
use trackway::event::Operation;
use trackway::event::Params;
use trackway::event::Receipt;
use trackway::event::delivery::Rendered;
use trackway::event::delivery::Translate as _;
use trackway::event::record;
use trackway::event::record::StoredRequest;
use trackway::route::Plan;
use trackway::route::secret::ReadSecret;
use trackway::value::Arena;

/// A v2 event of about 600 bytes.
const BODY: &str = r#"{"type":"person","action":"event","identifiers":{"id":"usr_01HF7Z3B9K"},"name":"order_completed","id":"01HF7Z3BAXW4E5QK1T3M9Z0N7C","timestamp":1700000000,"attributes":{"order_id":"ord_10023","total":99.50,"currency":"EUR","coupon":"WINTER","shipping":"express","channel":"web","first_order":false,"items":[{"sku":"A-100","name":"Wool socks","price":9.95,"quantity":2},{"sku":"B-220","name":"Rain jacket","price":79.60,"quantity":1}],"address":{"city":"Bergen","country":"NO","postal_code":"5003"},"campaign":{"source":"newsletter","medium":"email","name":"november"}}}"#;

const CONFIG: &str = r"
trackway: 1
sources:
  web: {name: Web, credentials: [{site_id: site, api_key: key}]}
destinations:
  out: {type: stdout}
connections:
  - {from: web, to: out}
";

/// Rounds of each side; the median of the paired ratios is what counts.
const ROUNDS: usize = 9;

fn main() {
    let calls = if std::env::args().any(|argument| argument == "--test") {
        1
    } else {
        200_000
    };
    let plan = plan();
    let destination = plan.destination("out").unwrap();
    let stored = stored();
    let request = StoredRequest::decode(&stored).unwrap();
    let record = request.records().next().unwrap().unwrap();
    let (mut arena, mut rendered) = (Arena::new(), Rendered::default());
    let mut ours = || {
        destination.translate(&record, &mut arena, &mut rendered);
        let item = rendered.items.first().unwrap();
        black_box(rendered.bytes(&item.body));
    };
    ours();
    let accepted_at = record.request.accepted_at;
    let mut theirs = || {
        black_box(by_hand(record.body, accepted_at));
    };
    check(&plan, &by_hand(record.body, accepted_at));
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let (a, b) = (time(calls, &mut ours), time(calls, &mut theirs));
        ratios.push(a / b);
        println!(
            "round {round}: plan {a:.0} ns, serde_json by hand {b:.0} ns, ratio {:.2}",
            a / b
        );
    }
    ratios.sort_by(f64::total_cmp);
    let (low, middle, high) = (ratios.first(), ratios.get(ROUNDS / 2), ratios.last());
    println!(
        "plan / serde_json by hand: median {:.2} ({:.2} to {:.2})",
        middle.unwrap(),
        low.unwrap(),
        high.unwrap()
    );
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of a benchmark")]
fn time(calls: u32, run: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        run();
    }
    start.elapsed().as_nanos() as f64 / f64::from(calls)
}

/// The event as people would write it with `serde_json`.
fn by_hand(body: &[u8], accepted_at: Timestamp) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(body).unwrap();
    let take = |body: &mut Value, key: &str| body.get_mut(key).map(Value::take).unwrap_or_default();
    let identifiers = take(&mut body, "identifiers");
    let user = identifiers.get("id").cloned().unwrap_or_default();
    let name = take(&mut body, "name");
    let id = take(&mut body, "id");
    let seconds = body
        .get("timestamp")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    let time = Timestamp::from_millis(seconds * 1000).to_string();
    let event = json!({
        "type": "track",
        "messageId": id,
        "userId": user,
        "timestamp": time,
        "originalTimestamp": time,
        "receivedAt": accepted_at.to_string(),
        "context": {"channel": "server", "trackway": {
            "op": "person.event", "api": "v2", "id": identifiers, "client_id": true,
        }},
        "event": name,
        "properties": take(&mut body, "attributes"),
    });
    serde_json::to_vec(&event).unwrap()
}

fn check(plan: &Plan, by_hand: &[u8]) {
    let stored = stored();
    let request = StoredRequest::decode(&stored).unwrap();
    let record = request.records().next().unwrap().unwrap();
    let (mut arena, mut rendered) = (Arena::new(), Rendered::default());
    plan.destination("out")
        .unwrap()
        .translate(&record, &mut arena, &mut rendered);
    let item = rendered.items.first().unwrap();
    let ours: Value = serde_json::from_slice(rendered.bytes(&item.body)).unwrap();
    let theirs: Value = serde_json::from_slice(by_hand).unwrap();
    assert_eq!(ours, theirs, "both sides do the same work");
}

fn stored() -> Vec<u8> {
    let receipt = Receipt {
        id: ulid::Ulid(1),
        accepted_at: Timestamp::from_millis(1_767_323_045_678),
        source: "web".into(),
        site_id: None,
        method: http::Method::POST,
        target: "/api/v2/entity".to_owned(),
        content_type: None,
    };
    let call = Call {
        operation: Operation::PersonEvent,
        api: Api::V2,
        item: None,
        params: Params::default(),
        body: Bytes::from_static(BODY.as_bytes()),
    };
    let mut stored = Vec::new();
    record::encode(&receipt, &[call], &mut stored);
    stored
}

fn plan() -> Plan {
    let variables = BTreeMap::new();
    let environment = config::Environment {
        variables: &variables,
        unset: config::Unset::Warning,
    };
    let loaded = config::load(Path::new("routing.yaml"), &OneFile, environment);
    let mut diagnostics = loaded.diagnostics;
    let secrets: Arc<dyn ReadSecret> = Arc::new(NoSecrets);
    let settings = Arc::new(loaded.settings.unwrap());
    Plan::build(settings, &secrets, &mut diagnostics).unwrap()
}

#[derive(Debug)]
struct OneFile;

impl config::Files for OneFile {
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Ok(CONFIG.into())
    }

    fn glob(&self, _: &Path, _: &str) -> io::Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }
}

#[derive(Debug)]
struct NoSecrets;

impl ReadSecret for NoSecrets {
    fn read(&self, _: &SecretSource) -> Result<Arc<str>, String> {
        Err("none".to_owned())
    }
}
