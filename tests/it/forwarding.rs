//! `forward:`: the original call reaches the real Track API, with the credentials it came with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use trackway::clock::Clock;

use crate::destination_fixture::Destination;
use crate::destination_fixture::Received;
use crate::destination_fixture::Reply;
use crate::gateway_fixture::Answer;
use crate::gateway_fixture::Gateway;
use crate::gateway_fixture::request;

/// A gateway whose one source has two credentials and is forwarded to `url`.
fn routing(url: &str, credentials: &str) -> String {
    format!(
        "trackway: 1\nserver: {{listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}}\n\
         storage: {{dir: ./data, segment_bytes: 1MiB}}\n\
         sources:\n  web:\n    name: Web\n    credentials: [{credentials}]\n    \
         forward: {{url: \"{url}\", allow_private: true, retry: [1s, 1s]}}\n"
    )
}

const BOTH: &str = "{site_id: s1, api_key: key-one}, {site_id: s2, api_key: key-two}";

fn start(url: &str) -> Gateway {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("routing.yaml"), routing(url, BOTH)).unwrap();
    Gateway::start_in(dir.into())
}

fn login(received: &Received) -> String {
    let header = received.header("authorization").unwrap();
    let encoded = header.strip_prefix("Basic ").unwrap();
    String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
}

fn call(gateway: &Gateway, login: &str, target: &str, body: &str) -> Answer {
    request(gateway.address, "POST", target, Some(login), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_arrives_as_it_came_with_the_credentials_it_came_with() {
    let upstream = Destination::start(&Clock::system(), |_| Reply::Status(200)).await;
    let gateway = start(&upstream.url);
    let body = r#"{"name":"seen","data":{"total":99.50,"id":12345678901234567890123}}"#;
    let target = "/api/v1/customers/a%2Fb/events";
    assert_eq!(call(&gateway, "s1:key-one", target, body).status, 200);
    let first = upstream.request(0).await;
    assert!(first.head.starts_with("POST "), "{}", first.head);
    assert_eq!((first.target(), &first.body[..]), (target, body.as_bytes()));
    assert_eq!(login(&first), "s1:key-one");
    assert_eq!(
        call(&gateway, "s2:key-two", "/customers/5/suppress", "").status,
        200
    );
    let second = upstream.request(1).await;
    // An SDK with a bare host leaves the prefix out; the real API wants it.
    assert_eq!(second.target(), "/api/v1/customers/5/suppress");
    assert_eq!(login(&second), "s2:key-two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_arrives_as_one_request_without_what_was_refused() {
    let upstream = Destination::start(&Clock::system(), |_| Reply::Status(200)).await;
    let gateway = start(&upstream.url);
    let good = r#"{"type":"person","action":"delete","identifiers":{"id":"1"}}"#;
    let body = format!(r#"{{"batch":[{good},{{"type":"person"}},{good}]}}"#);
    assert_eq!(
        call(&gateway, "s1:key-one", "/api/v2/batch", &body).status,
        207
    );
    let received = upstream.request(0).await;
    assert_eq!(received.target(), "/api/v2/batch");
    let body = String::from_utf8(received.body).unwrap();
    assert_eq!(body, format!(r#"{{"batch":[{good},{good}]}}"#));
    assert_eq!(
        call(&gateway, "s1:key-one", "/api/v1/customers/2/suppress", "").status,
        200
    );
    assert_eq!(
        upstream.request(1).await.target(),
        "/api/v1/customers/2/suppress"
    );
}
