//! Listeners, spoken to in bytes: what is answered, what is closed, and when.

use std::time::Duration;

use tokio::net::TcpStream;
use trackway::clock::Clock;
use trackway::server::accept::AcceptLimits;
use trackway::server::accept::HEAD_BYTES_MAX;
use trackway::server::accept::Listener;

use crate::listener_fixture::LIMITS;
use crate::listener_fixture::Running;

const GET: &str = "GET /a HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn keeps_a_connection_for_many_requests() {
    let running = Running::plain().await;
    let mut client = running.client().await;
    for _ in 0..3 {
        client.send(GET).await;
        let answer = client.answer().await;
        assert_eq!(
            (answer.status(), answer.body.as_str()),
            ("200", "http GET /a: ")
        );
        assert!(!answer.closes());
    }
}

#[tokio::test]
async fn answers_pipelined_requests_in_order() {
    let running = Running::plain().await;
    let mut client = running.client().await;
    client.send("POST /1 HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nabGET /2 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(client.answer().await.body, "http POST /1: ab");
    assert_eq!(client.answer().await.body, "http GET /2: ");
}

#[tokio::test]
async fn closes_when_a_head_does_not_arrive_in_time() {
    let running = Running::plain().await;
    let mut client = running.client().await;
    client.send("GET /a HTTP/1.1\r\nhost: x\r\nslow: ").await;
    let (seconds, rest) = running.seconds_until(client.rest()).await;
    assert!(120 <= seconds, "{seconds}");
    assert_eq!(rest, "");
}

// Go's clients keep idle connections for 90 s and do not expect them to be closed before.
#[tokio::test]
async fn keeps_an_idle_connection_until_its_timeout() {
    let running = Running::plain().await;
    let mut client = running.client().await;
    client.send(GET).await;
    assert_eq!(client.answer().await.status(), "200");
    tokio::task::yield_now().await;
    running.clock.advance(Duration::from_secs(119));
    tokio::task::yield_now().await;
    client.send(GET).await;
    assert_eq!(client.answer().await.status(), "200");
    let (seconds, rest) = running.seconds_until(client.rest()).await;
    assert!(120 <= seconds, "{seconds}");
    assert_eq!(rest, "");
}

fn padded(bytes: usize) -> String {
    let head = "GET /a HTTP/1.1\r\nhost: x\r\npad: \r\n\r\n";
    head.replace("pad: ", &format!("pad: {}", "a".repeat(bytes - head.len())))
}

#[tokio::test]
async fn a_head_may_be_so_large_and_no_larger() {
    let running = Running::plain().await;
    for (head, status) in [
        (padded(HEAD_BYTES_MAX), "200"),
        (padded(HEAD_BYTES_MAX + 1), "431"),
        (padded(HEAD_BYTES_MAX * 3 / 2), "431"),
        (padded(10 * HEAD_BYTES_MAX), "431"),
        (
            format!(
                "GET /a HTTP/1.1\r\nhost: x\r\n{}\r\n",
                "a: b\r\n".repeat(99)
            ),
            "200",
        ),
        (
            format!(
                "GET /a HTTP/1.1\r\nhost: x\r\n{}\r\n",
                "a: b\r\n".repeat(100)
            ),
            "431",
        ),
        (
            format!(
                "GET /{} HTTP/1.1\r\nhost: x\r\n\r\n",
                "a".repeat(HEAD_BYTES_MAX)
            ),
            "431",
        ),
    ] {
        let mut client = running.client().await;
        client.send(&head).await;
        let answer = client.answer().await;
        assert_eq!(answer.status(), status, "{head:.40} {}", head.len());
        if status == "431" {
            assert_eq!(answer.body, "");
            assert_eq!(client.rest().await, "");
        }
    }
}

#[tokio::test]
async fn refuses_what_is_no_http_without_a_body() {
    let running = Running::plain().await;
    for head in [
        "\x16\x03\x01\x02\x00\x01",
        "GET /a b HTTP/1.1\r\n\r\n",
        "GET /a HTTP/3.0\r\nhost: x\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost : x\r\n\r\n",
        "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\nab",
        "POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\nab",
        "POST /a HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let mut client = running.client().await;
        client.send(head).await;
        let answer = client.answer().await;
        assert_eq!(
            (answer.status(), answer.body.as_str()),
            ("400", ""),
            "{head}"
        );
        assert_eq!(client.rest().await, "");
    }
}

#[tokio::test]
async fn refuses_a_request_for_no_host_or_for_two() {
    let running = Running::plain().await;
    for (head, text) in [
        ("GET /a HTTP/1.1\r\n\r\n", "the Host header is missing"),
        (
            "GET /a HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
            "there is more than one Host header",
        ),
        (
            "GET /a HTTP/1.0\r\nhost: x\r\nhost: y\r\n\r\n",
            "there is more than one Host header",
        ),
    ] {
        let mut client = running.client().await;
        client.send(head).await;
        let answer = client.answer().await;
        assert_eq!(answer.status(), "400");
        assert!(
            answer.head.contains("content-type: application/json\r\n"),
            "{}",
            answer.head
        );
        assert_eq!(
            answer.body,
            format!(r#"{{"meta":{{"errors":["{text}"]}}}}"#)
        );
        assert_eq!(client.rest().await, "");
    }
    let mut client = running.client().await;
    client.send("GET /a HTTP/1.0\r\n\r\n").await;
    assert_eq!(client.answer().await.status(), "200");
}

// A proxy that goes by the length and one that goes by the chunks see different requests here. Ours
// takes the chunks and closes, so what is hidden behind them reaches nobody.
#[tokio::test]
async fn serves_nothing_behind_a_request_with_two_lengths() {
    let running = Running::plain().await;
    let hidden = "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";
    for lengths in [
        "content-length: 100\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 100",
    ] {
        let mut client = running.client().await;
        let head = format!("POST /a HTTP/1.1\r\nhost: x\r\n{lengths}\r\n\r\n");
        client
            .send(format!("{head}2\r\nab\r\n0\r\n\r\n{hidden}"))
            .await;
        let answer = client.answer().await;
        assert_eq!(answer.body, "http POST /a: ab");
        assert!(answer.closes(), "{}", answer.head);
    }
}

#[tokio::test]
async fn takes_no_more_connections_than_allowed() {
    let running = Running::start(
        AcceptLimits {
            connections_max: 1,
            ..LIMITS
        },
        None,
    )
    .await;
    let mut first = running.client().await;
    first.send(GET).await;
    assert_eq!(first.answer().await.status(), "200");
    // The kernel takes the second one in, and nobody serves it until the first is gone.
    let mut second = running.client().await;
    second.send(GET).await;
    tokio::select! {
        biased;
        _ = second.answer() => panic!("one too many"),
        () = async {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    drop(first);
    assert_eq!(second.answer().await.status(), "200");
}

#[tokio::test]
async fn finishes_what_is_in_flight_when_stopped() {
    let mut running = Running::plain().await;
    let mut idle = running.client().await;
    idle.send(GET).await;
    assert_eq!(idle.answer().await.status(), "200");
    let silent = running.client().await;
    let mut busy = running.client().await;
    busy.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    running.waiting().await;

    running.stop.send(true).unwrap();
    // At once, not when its timeout has passed.
    let (seconds, rest) = running.seconds_until(idle.rest()).await;
    assert!(seconds < 20, "{seconds}");
    assert_eq!(rest, "");
    assert!(TcpStream::connect(running.address).await.is_err());
    running.go_on();
    let answer = busy.answer().await;
    assert_eq!(answer.body, "http GET /wait: ");
    assert!(answer.closes(), "{}", answer.head);
    assert_eq!(running.served.join_next().await.unwrap().unwrap(), 0);
    drop(silent);
}

#[tokio::test]
async fn cuts_off_what_does_not_end_within_the_grace_period() {
    let mut running = Running::plain().await;
    let mut busy = running.client().await;
    busy.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    running.waiting().await;
    running.stop.send(true).unwrap();
    let mut served = std::mem::take(&mut running.served);
    let (seconds, cut) = running.seconds_until(served.join_next()).await;
    assert!(30 <= seconds, "{seconds}");
    assert_eq!(cut.unwrap().unwrap(), 1);
    assert_eq!(busy.rest().await, "");
}

#[tokio::test]
async fn says_why_an_address_cannot_be_listened_on() {
    let running = Running::plain().await;
    let clock = Clock::system();
    let address = running.address;
    let error = Listener::bind(address, None, LIMITS, clock.clone())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{address} is in use by another process; stop it or listen on another port")
    );
    // An address for documentation: no machine has it.
    let elsewhere = "192.0.2.1:80".parse().unwrap();
    let error = Listener::bind(elsewhere, None, LIMITS, clock)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "192.0.2.1:80 is no address of this machine; 0.0.0.0 or [::] listens on all it has"
    );
}
