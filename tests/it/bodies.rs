//! Bodies of requests, spoken in bytes: how large, how slow, how broken they may be.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;

use crate::listener_fixture::Client;
use crate::listener_fixture::Running;

fn post(length: usize) -> String {
    format!("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n")
}

#[tokio::test]
async fn a_body_may_be_so_large_and_no_larger() {
    let running = Running::plain().await;
    let chunked = "POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let text = "a".repeat(1000);
    for (request, status) in [
        (format!("{}{text}", post(1000)), "200"),
        (format!("{}{text}a", post(1001)), "413"),
        (format!("{chunked}3e8\r\n{text}\r\n0\r\n\r\n"), "200"),
        (
            format!("{chunked}3e8\r\n{text}\r\n1\r\na\r\n0\r\n\r\n"),
            "413",
        ),
        // Trailers are no body.
        (format!("{chunked}1\r\na\r\n0\r\ntrailer: x\r\n\r\n"), "200"),
    ] {
        let mut client = running.client().await;
        client.send(&request).await;
        let answer = client.answer().await;
        assert_eq!(answer.status(), status, "{request:.100}");
        if status == "413" {
            assert_eq!(answer.body, "the body is larger than 1000 bytes");
            assert!(answer.closes());
        }
    }
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_before_it_sends() {
    let running = Running::plain().await;
    let expect =
        |length: usize| post(length).replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
    let mut client = running.client().await;
    client.send(expect(2)).await;
    assert_eq!(client.answer().await.status(), "100");
    client.send("ab").await;
    assert_eq!(client.answer().await.body, "http POST /a: ab");

    client.send(expect(1001)).await;
    assert_eq!(client.answer().await.status(), "413");
}

// The client sends all of its 4 MiB before it reads. Without lingering the kernel would reset the
// connection, and the client would see a network error: a reason to send it all again.
#[tokio::test]
async fn a_client_that_sends_too_much_sees_the_answer() {
    let running = Running::plain().await;
    let mut client = running.client().await;
    let length = 4 * 1024 * 1024;
    client.send(post(length)).await;
    client.send(vec![b'a'; length]).await;
    assert_eq!(client.answer().await.status(), "413");
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_client_that_goes_on_sending_for_ever_is_cut_off() {
    let running = Running::plain().await;
    let mut client = running.client().await;
    client.send(post(1001)).await;
    assert_eq!(client.answer().await.status(), "413");
    let (mut read, mut write) = client.stream.into_split();
    let mut end = Vec::new();
    read.read_to_end(&mut end).await.unwrap();
    // It may send on now, but only for so long.
    let sending = async { while write.write_all(b"a").await.is_ok() {} };
    let (seconds, ()) = running.seconds_until(sending).await;
    assert!(2 <= seconds, "{seconds}");
}

#[tokio::test]
async fn a_pause_may_be_so_long_and_no_longer() {
    let running = Running::plain().await;
    let mut client = running.client().await;
    client.send(format!("{}a", post(2))).await;
    pass(&running, 9).await;
    client.send("b").await;
    assert_eq!(client.answer().await.body, "http POST /a: ab");

    client.send(format!("{}a", post(2))).await;
    let (seconds, answer) = running.seconds_until(client.answer()).await;
    assert!(10 <= seconds, "{seconds}");
    assert_eq!(answer.status(), "408");
    assert_eq!(answer.body, "the body did not arrive in time");
    assert!(answer.closes());
}

#[tokio::test]
async fn a_body_in_drops_may_take_ten_pauses() {
    let running = Running::plain().await;
    let Client { stream, .. } = running.client().await;
    let (read, mut write) = tokio::io::split(stream);
    let mut client = Client::new(tokio::io::join(read, tokio::io::sink()));
    write.write_all(post(1000).as_bytes()).await.unwrap();
    // No pause is too long, all of them together are.
    let dripping = async {
        for _ in 0..20 {
            write.write_all(b"a").await.unwrap();
            pass(&running, 9).await;
        }
    };
    let answer = tokio::select! {
        answer = client.answer() => answer,
        () = dripping => panic!("nobody minds"),
    };
    assert_eq!(answer.status(), "408");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_body() {
    let running = Running::plain().await;
    for request in [
        format!("{}half", post(8)),
        "POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n8\r\nhalf".to_owned(),
        "POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_owned(),
    ] {
        let mut client = running.client().await;
        client.send(&request).await;
        client.stream.shutdown().await.unwrap();
        let rest = client.rest().await;
        assert!(!rest.contains("200 OK"), "{rest}");
    }
}

/// Lets so many seconds pass, and everybody react.
async fn pass(running: &Running, seconds: u64) {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    running.clock.advance(Duration::from_secs(seconds));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}
