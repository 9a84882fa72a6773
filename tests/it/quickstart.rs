//! The walk of a new user over the quickstart: call, event, edit, mistake, crash.

use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use crate::gateway_fixture::Gateway;

/// The quickstart with its ports chosen by the system, so that tests do not meet.
fn quickstart() -> Arc<TempDir> {
    let dir = TempDir::new().unwrap();
    let text = std::fs::read_to_string("examples/quickstart/routing.yaml").unwrap();
    let text = ["127.0.0.1:8080", "127.0.0.1:9090"]
        .iter()
        .fold(text, |text, address| {
            text.replace(address, "\"127.0.0.1:0\"")
        });
    let text = if text.contains("\nserver:") {
        text
    } else {
        let server = "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\n";
        text.replacen("trackway: 1\n", &format!("trackway: 1\n{server}"), 1)
    };
    std::fs::write(dir.path().join("routing.yaml"), text).unwrap();
    Arc::new(dir)
}

#[test]
fn the_walk_of_the_readme_works() {
    let gateway = Gateway::start_in(quickstart());
    let banner = gateway.wait_for("/events\n");
    assert!(banner.contains("Journeys API: "), "{banner}");
    assert!(banner.contains("curl "), "{banner}");

    let event = r#"{"name":"signed_up","data":{"plan":"pro"}}"#;
    let answer = gateway.call_quickstart("POST", "/api/v1/customers/42/events", event);
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}\n"));
    let lines = gateway.lines("events.ndjson", 1);
    assert!(lines[0].contains("\"event\":\"signed_up\""), "{lines:?}");
    assert!(lines[0].contains("\"userId\":\"42\""), "{lines:?}");
    gateway.wait_for("stdout: {\"type\":\"track\"");

    // A mistake in the file: shown with its place, and nothing else happens.
    let path = gateway.path("routing.yaml");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, good.replace("connections:", "conections:")).unwrap();
    let printed = gateway.wait_for("did you mean");
    assert!(printed.contains("TW0005"), "{printed}");
    let answer = gateway.call_quickstart("POST", "/api/v1/customers/42/events", event);
    assert_eq!(answer.status, 200);
    gateway.lines("events.ndjson", 2);

    // `validate` says the same and exits with 1.
    let validate = Command::new(env!("CARGO_BIN_EXE_trackway"))
        .args(["validate", path.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(validate.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&validate.stderr).contains("TW0005"));

    // kill -9 right behind the answer, then a start: the event arrives.
    std::fs::write(&path, &good).unwrap();
    let answer = gateway.call_quickstart(
        "PUT",
        "/api/v1/customers/7",
        r#"{"email":"ada@lovelace.example"}"#,
    );
    assert_eq!(answer.status, 200);
    let dir = gateway.kill();
    let gateway = Gateway::start_in(dir);
    let lines = gateway.lines("events.ndjson", 3);
    assert!(
        lines
            .iter()
            .any(|line| line.contains("\"type\":\"identify\"")),
        "{lines:?}"
    );
}
