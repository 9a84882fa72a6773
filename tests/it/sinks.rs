//! Sinks against destinations that misbehave: what comes back is an answer or a reason with advice.

use std::time::Duration;

use bytes::Bytes;
use trackway::clock::Clock;
use trackway::clock::Timestamp;
use trackway::deliver::sink::ANSWER_BYTES_MAX;
use trackway::deliver::sink::ClientTls;
use trackway::deliver::sink::HttpOptions;
use trackway::deliver::sink::HttpSink;
use trackway::deliver::sink::Sent;
use trackway::deliver::sink::Sink;
use trackway::deliver::sink::SinkError;
use trackway::event::delivery::Outgoing;
use trackway::event::delivery::ReasonClass;

use crate::destination_fixture::Destination;
use crate::destination_fixture::Reply;
use crate::destination_fixture::answer;
use crate::destination_fixture::test_authority;

const LOOPBACK: HttpOptions = HttpOptions {
    timeout: Duration::from_secs(30),
    connect_timeout: Duration::from_secs(10),
    connections: 4,
    allow_private: true,
};

fn clock() -> Clock {
    Clock::manual(Timestamp::from_millis(1_767_323_045_678))
}

/// A sink that may talk to loopback and trusts the authority of the fixtures.
fn sink(clock: &Clock) -> HttpSink {
    HttpSink::new(
        LOOPBACK,
        ClientTls::trusting([test_authority()]),
        clock.clone(),
    )
}

fn post(url: &str, body: &'static str) -> Outgoing {
    let body = Bytes::from_static(body.as_bytes());
    Outgoing::Http(
        http::Request::post(url)
            .header("authorization", "Basic Y2FuYXJ5")
            .body(body)
            .unwrap(),
    )
}

fn status(sent: Result<Sent, SinkError>) -> u16 {
    match sent.unwrap() {
        Sent::Answer { status, .. } => status.as_u16(),
        Sent::Written => panic!("no answer"),
    }
}

fn body(sent: Result<Sent, SinkError>) -> Bytes {
    match sent.unwrap() {
        Sent::Answer { body, .. } => body,
        Sent::Written => panic!("no answer"),
    }
}

#[tokio::test]
async fn sends_the_request_as_framed_and_says_who_it_is() {
    let clock = clock();
    let destination = Destination::start(&clock, |_| {
        Reply::Answer(202, ("retry-after", "7"), b"taken".to_vec())
    })
    .await;
    let url = format!("{}/import?strict=1", destination.url);
    let sent = sink(&clock).send(post(&url, "[1]")).await.unwrap();
    let Sent::Answer {
        status,
        headers,
        body,
    } = sent
    else {
        panic!("no answer")
    };
    assert_eq!((status.as_u16(), &body[..]), (202, &b"taken"[..]));
    assert_eq!(headers["retry-after"], "7");

    let request = destination.request(0).await;
    assert!(
        request
            .head
            .starts_with("POST /import?strict=1 HTTP/1.1\r\n"),
        "{}",
        request.head
    );
    assert_eq!(request.body, b"[1]");
    assert_eq!(request.header("authorization"), Some("Basic Y2FuYXJ5"));
    assert_eq!(
        request.header("host").map(|host| format!("http://{host}")),
        Some(destination.url.clone())
    );
    let agent = request.header("user-agent").unwrap();
    assert_eq!(agent, concat!("Trackway/", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn every_final_status_is_an_answer() {
    let clock = clock();
    let destination = Destination::start(&clock, |request| {
        Reply::Status(request.target().trim_start_matches('/').parse().unwrap())
    })
    .await;
    let sink = sink(&clock);
    for wanted in 200..=599 {
        let url = format!("{}/{wanted}", destination.url);
        assert_eq!(status(sink.send(post(&url, "{}")).await), wanted);
    }
    // No redirect was followed, and one connection did for all.
    let received = destination.received();
    assert_eq!(received.len(), 400);
    assert_eq!(received.last().unwrap().connection, 0);
}

#[tokio::test]
async fn interim_answers_are_waited_out() {
    let clock = clock();
    let destination = Destination::start(&clock, |request| {
        let interim: u16 = request.target().trim_start_matches('/').parse().unwrap();
        let mut bytes = format!("HTTP/1.1 {interim} x\r\n\r\n").into_bytes();
        bytes.extend(answer(200, ("x", "y"), b"{}"));
        Reply::Close(bytes)
    })
    .await;
    let sink = sink(&clock);
    for interim in 100..=199 {
        let url = format!("{}/{interim}", destination.url);
        // A switch of protocols that nobody asked for is final: nothing HTTP can follow it.
        let wanted = if interim == 101 { 101 } else { 200 };
        assert_eq!(
            status(sink.send(post(&url, "{}")).await),
            wanted,
            "{interim}"
        );
    }
}

#[tokio::test]
async fn reads_so_much_of_an_answer_and_no_more() {
    let clock = clock();
    let destination = Destination::start(&clock, |request| {
        let length = request.target().trim_start_matches('/').parse().unwrap();
        Reply::Answer(200, ("x", "y"), vec![b'a'; length])
    })
    .await;
    let sink = sink(&clock);
    for (length, wanted, connections) in [
        (0, 0, 1),
        (ANSWER_BYTES_MAX, ANSWER_BYTES_MAX, 1),
        (16 * ANSWER_BYTES_MAX, ANSWER_BYTES_MAX, 1),
        // What was cut has cost its connection.
        (1, 1, 2),
    ] {
        let url = format!("{}/{length}", destination.url);
        assert_eq!(body(sink.send(post(&url, "")).await).len(), wanted);
        assert_eq!(
            destination.received().last().unwrap().connection + 1,
            connections
        );
    }
}

#[tokio::test]
async fn broken_answers_are_network_errors() {
    let clock = clock();
    let half = b"HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\n{\"half\":".to_vec();
    let long = format!("HTTP/1.1 200 x\r\nlong: {}\r\n\r\n", "a".repeat(200_000)).into_bytes();
    let closed = "URL closed the connection before its answer was complete";
    let reset = "URL reset the connection before its answer was complete";
    for (reply, text) in [
        (Reply::Close(Vec::new()), closed),
        (Reply::Close(b"HTTP/1.1 200".to_vec()), closed),
        (Reply::Close(half.clone()), closed),
        (Reply::Reset(half), reset),
        (Reply::Reset(Vec::new()), reset),
        (
            Reply::Close(b"220 mail.example ESMTP\r\n".to_vec()),
            "URL does not answer with HTTP/1.1; does its port expect https://?",
        ),
        (
            Reply::Close(long),
            "the head of URL's answer is larger than 64 KiB",
        ),
        (
            Reply::Close(b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec()),
            "the connection to URL failed: Invalid chunk size line: missing size digit",
        ),
    ] {
        let label = format!("{reply:?}");
        let destination = Destination::start(&clock, move |_| reply.clone()).await;
        let url = format!("{}/canary", destination.url);
        let error = sink(&clock).send(post(&url, "{}")).await.unwrap_err();
        assert_eq!(
            error.text,
            text.replace("URL", &destination.url),
            "{label:.60}"
        );
        assert_eq!(error.class, ReasonClass::Network);
    }
}

#[tokio::test]
async fn leaves_a_connection_that_the_destination_gives_up() {
    let clock = clock();
    let destination = Destination::start(&clock, |request| match request.number {
        0 => Reply::Answer(503, ("connection", "close"), Vec::new()),
        _ => Reply::Status(200),
    })
    .await;
    let sink = sink(&clock);
    assert_eq!(status(sink.send(post(&destination.url, "1")).await), 503);
    assert_eq!(status(sink.send(post(&destination.url, "2")).await), 200);
    assert_eq!(destination.received()[1].connection, 1);
}

#[tokio::test]
async fn an_answer_one_byte_too_long_is_cut() {
    let clock = clock();
    let destination = Destination::start(&clock, |_| {
        Reply::Answer(200, ("x", "y"), vec![b'a'; ANSWER_BYTES_MAX + 1])
    })
    .await;
    let sent = sink(&clock).send(post(&destination.url, "")).await;
    assert_eq!(body(sent).len(), ANSWER_BYTES_MAX);
}

#[tokio::test]
async fn a_slow_answer_ends_at_the_timeout() {
    let slow = answer(200, ("x", "y"), b"late");
    let seconds = u64::try_from(slow.len()).unwrap();
    assert!(30 < seconds);
    for reply in [
        Reply::Silence,
        Reply::Drip(slow.clone()),
        Reply::After(Duration::from_secs(31), Box::new(Reply::Status(200))),
    ] {
        let clock = clock();
        let destination = Destination::start(&clock, move |_| reply.clone()).await;
        let sink = sink(&clock);
        let (sent, ()) = tokio::join!(sink.send(post(&destination.url, "{}")), async {
            destination.request(0).await;
            for _ in 0..30 {
                tokio::task::yield_now().await;
                clock.advance(Duration::from_secs(1));
            }
        });
        let error = sent.unwrap_err();
        assert_eq!(error.class, ReasonClass::Timeout);
        let text = format!("no complete answer from {} within 30s", destination.url);
        assert_eq!(error.text, text);
    }
}

#[tokio::test]
async fn a_slow_answer_within_the_timeout_is_an_answer() {
    let clock = clock();
    let destination = Destination::start(&clock, |_| {
        Reply::After(Duration::from_secs(29), Box::new(Reply::Status(503)))
    })
    .await;
    let sink = sink(&clock);
    let (sent, ()) = tokio::join!(sink.send(post(&destination.url, "{}")), async {
        destination.request(0).await;
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(29));
    });
    assert_eq!(status(sent), 503);
}
