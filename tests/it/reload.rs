//! Edits of a running gateway: each kind of save goes live once, a mistake changes nothing.

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;

use crate::gateway_fixture::Gateway;
use crate::gateway_fixture::HEAD;
use crate::gateway_fixture::PATIENCE;
use crate::gateway_fixture::head;

/// A destination that writes each event's name, as a mapping of revision `name` changes it.
fn routing(name: &str) -> String {
    format!(
        "destinations:\n  out: {{type: file, settings: {{path: ./out.ndjson}}}}\n\
         connections:\n  - from: web\n    to: out\n    map: {{type: track, event: {name}}}\n"
    )
}

const EVENT: &str = r#"{"name":"seen"}"#;

/// Sends one call and returns the name that the mapping of the active revision gives it.
fn mapped(gateway: &Gateway, count: usize) -> String {
    let answer = gateway.call("POST", "/api/v1/customers/1/events", EVENT);
    assert_eq!(answer.status, 200, "{answer:?}");
    gateway.lines("out.ndjson", count).pop().unwrap()
}

fn reload(gateway: &Gateway) -> (u16, String) {
    let answer = gateway.ask_admin("POST", "/-/reload");
    (answer.status, answer.body)
}

#[test]
fn a_save_in_place_and_one_by_rename_go_live_by_themselves() {
    let gateway = Gateway::start(&routing("first"));
    assert!(mapped(&gateway, 1).contains("first"));
    gateway.save(&routing("second"));
    gateway.wait_for("\"revision\":2");
    assert!(mapped(&gateway, 2).contains("second"));
    for (revision, name) in [(3, "third"), (4, "fourth")] {
        let text = format!("{HEAD}{}", routing(name));
        std::fs::write(gateway.path("routing.yaml.tmp"), text).unwrap();
        std::fs::rename(
            gateway.path("routing.yaml.tmp"),
            gateway.path("routing.yaml"),
        )
        .unwrap();
        gateway.wait_for(&format!("\"revision\":{revision}"));
        assert!(mapped(&gateway, revision).contains(name));
    }
}

#[test]
fn a_swapped_directory_link_goes_live() {
    let gateway = Gateway::start(&routing("first"));
    for (n, name) in ["second", "third"].into_iter().enumerate() {
        let version = gateway.path(&format!("..v{n}"));
        std::fs::create_dir(&version).unwrap();
        std::fs::write(
            version.join("routing.yaml"),
            format!("{HEAD}{}", routing(name)),
        )
        .unwrap();
        symlink(&version, gateway.path("..new")).unwrap();
        std::fs::rename(gateway.path("..new"), gateway.path("..data")).unwrap();
        if n == 0 {
            symlink("..data/routing.yaml", gateway.path("link")).unwrap();
            std::fs::rename(gateway.path("link"), gateway.path("routing.yaml")).unwrap();
        }
        gateway.wait_for(&format!("\"revision\":{}", n + 2));
        assert!(mapped(&gateway, n + 1).contains(name));
    }
}

#[test]
fn touching_the_file_or_writing_it_again_changes_nothing() {
    let gateway = Gateway::start(&routing("first"));
    gateway.save(&routing("first"));
    let (status, body) = reload(&gateway);
    assert_eq!((status, body.contains("unchanged")), (200, true), "{body}");
    assert!(!gateway.printed().contains("\"revision\":2"));
}

#[test]
fn every_kind_of_mistake_is_refused_and_the_way_back_is_clear() {
    let gateway = Gateway::start(&routing("first"));
    let failing_test = format!(
        "{}tests:\n  - name: wrong\n    request: {{source: web, path: /api/v1/customers/1/events, method: POST, body: {{name: x}}}}\n    expect: {{out: nothing}}\n",
        routing("first")
    );
    let mistakes = [
        ("destinations: [\n".to_owned(), "TW00"),
        (routing("=$.event | uper"), "TW0201"),
        (routing("=1 + \"a\""), "TW0206"),
        (failing_test, "TW0801"),
    ];
    for (text, code) in mistakes {
        gateway.save(&text);
        let (status, body) = reload(&gateway);
        assert_eq!((status, body.contains(code)), (422, true), "{code}: {body}");
        let shown = gateway.ask_admin("GET", "/-/config").body;
        assert!(shown.contains(code), "{shown}");
    }
    std::fs::write(gateway.path("routing.yaml"), "").unwrap();
    assert_eq!(reload(&gateway).0, 422);
    let failing = gateway.ask_admin("GET", "/metrics").body;
    assert!(
        failing.contains("trackway_config_last_reload_successful 0"),
        "{failing}"
    );
    assert!(mapped(&gateway, 1).contains("first"));
    gateway.save(&routing("first"));
    assert_eq!(reload(&gateway).0, 200);
    let fine = gateway.ask_admin("GET", "/metrics").body;
    assert!(
        fine.contains("trackway_config_last_reload_successful 1"),
        "{fine}"
    );
    assert!(
        gateway
            .ask_admin("GET", "/-/config")
            .body
            .contains("\"rejected\": null")
    );
    gateway.save(&routing("other"));
    assert_eq!(reload(&gateway).0, 200);
    assert!(mapped(&gateway, 2).contains("other"));
}

#[test]
fn a_file_that_is_gone_serves_on_and_its_return_goes_live() {
    let gateway = Gateway::start(&routing("first"));
    std::fs::remove_file(gateway.path("routing.yaml")).unwrap();
    assert_eq!(reload(&gateway).0, 422);
    assert!(mapped(&gateway, 1).contains("first"));
    gateway.save(&routing("second"));
    gateway.wait_for("\"revision\":2");
    assert!(mapped(&gateway, 2).contains("second"));
}

#[test]
fn a_hangup_reloads_and_an_open_connection_sees_the_new_revision() {
    let gateway = Gateway::start(&routing("first"));
    let mut client = Client::connect(&gateway);
    client.call(EVENT);
    gateway.lines("out.ndjson", 1);
    gateway.save(&routing("second"));
    gateway.signal("HUP");
    gateway.wait_for("\"revision\":2");
    client.call(EVENT);
    assert!(
        gateway
            .lines("out.ndjson", 2)
            .pop()
            .unwrap()
            .contains("second")
    );
}

#[test]
fn a_change_of_the_port_says_that_it_takes_a_restart() {
    let gateway = Gateway::start(&routing("first"));
    let text =
        format!("{HEAD}{}", routing("first")).replacen("\"127.0.0.1:0\"", "\"127.0.0.1:1\"", 1);
    std::fs::write(gateway.path("routing.yaml"), text).unwrap();
    let (status, body) = reload(&gateway);
    assert_eq!(
        (status, body.contains("server.listen")),
        (409, true),
        "{body}"
    );
}

#[test]
fn a_termination_finishes_and_leaves_nothing_undelivered() {
    let mut gateway = Gateway::start(&routing("first"));
    mapped(&gateway, 1);
    gateway.signal("TERM");
    assert_eq!(gateway.wait(), Some(0));
    let gateway = Gateway::start_in(gateway.dir.clone());
    assert!(mapped(&gateway, 2).contains("first"));
    let counted = gateway.lines("out.ndjson", 2);
    assert_eq!(counted.len(), 2, "nothing is delivered again: {counted:?}");
}

#[test]
fn a_hundred_reloads_under_load_fail_no_request_and_deliver_each_call_once() {
    let gateway = Gateway::start(&routing("r0"));
    let stop = AtomicBool::new(false);
    let sent = thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = Client::connect(&gateway);
                    let mut calls = 0;
                    while !stop.load(Ordering::Relaxed) {
                        client.call(EVENT);
                        calls += 1;
                    }
                    calls
                })
            })
            .collect();
        for revision in 1..=100 {
            gateway.save(&routing(&format!("r{revision}")));
            assert_eq!(reload(&gateway).0, 200, "revision {revision}");
        }
        stop.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .sum::<usize>()
    });
    let lines = gateway.lines("out.ndjson", sent);
    assert_eq!(lines.len(), sent, "each call arrives once");
    let accepted = "trackway_calls_accepted_total{source=\"web\",operation=\"person.event\"} ";
    let metrics = gateway.ask_admin("GET", "/metrics").body;
    assert!(
        metrics.contains(&format!("{accepted}{sent}\n")),
        "counters outlive reloads: {metrics}"
    );
}

#[test]
fn a_request_that_began_before_a_reload_is_finished() {
    let gateway = Gateway::start(&routing("first"));
    let mut client = Client::connect(&gateway);
    let (begun, rest) = EVENT.split_at(5);
    client.send(&(client.head(EVENT) + begun));
    gateway.save(&routing("second"));
    assert_eq!(reload(&gateway).0, 200);
    client.send(rest);
    client.answered();
    gateway.lines("out.ndjson", 1);
}

/// A client on a connection that it keeps.
struct Client {
    stream: TcpStream,
}

impl Client {
    fn connect(gateway: &Gateway) -> Self {
        let stream = TcpStream::connect(gateway.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream }
    }

    #[expect(clippy::unused_self, reason = "reads as what the client sends")]
    fn head(&self, body: &str) -> String {
        head(
            "POST",
            "/api/v1/customers/1/events",
            Some("site:key"),
            body,
            "keep-alive",
        )
    }

    fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    fn call(&mut self, body: &str) {
        let request = self.head(body) + body;
        self.send(&request);
        self.answered();
    }

    fn answered(&mut self) {
        let (mut answer, mut piece) = (Vec::new(), [0; 1024]);
        while !answer.ends_with(b"{}\n") {
            let read = self.stream.read(&mut piece).unwrap();
            assert_ne!(read, 0, "the connection was closed");
            answer.extend_from_slice(&piece[..read]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    }
}
