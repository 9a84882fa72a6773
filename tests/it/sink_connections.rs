//! Connections of HTTP sinks: names, addresses, TLS, and what people are told when there is none.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use trackway::clock::Clock;
use trackway::clock::Timestamp;
use trackway::deliver::sink::ClientTls;
use trackway::deliver::sink::HttpOptions;
use trackway::deliver::sink::HttpSink;
use trackway::deliver::sink::Resolve;
use trackway::deliver::sink::Resolving;
use trackway::deliver::sink::Sent;
use trackway::deliver::sink::Sink;
use trackway::deliver::sink::SinkError;
use trackway::event::delivery::Outgoing;
use trackway::event::delivery::ReasonClass;

use crate::destination_fixture::Destination;
use crate::destination_fixture::Reply;
use crate::destination_fixture::test_authority;

const PUBLIC: HttpOptions = HttpOptions {
    timeout: Duration::from_secs(30),
    connect_timeout: Duration::from_secs(10),
    connections: 4,
    allow_private: false,
};
const LOOPBACK: HttpOptions = HttpOptions {
    allow_private: true,
    ..PUBLIC
};

fn clock() -> Clock {
    Clock::manual(Timestamp::from_millis(1_767_323_045_678))
}

/// Answers every question in the same way.
#[derive(Debug)]
enum Names {
    Are(Vec<SocketAddr>),
    Fail,
    Stall,
}

impl Resolve for Names {
    fn resolve(&self, _: &str, _: u16) -> Resolving {
        match self {
            Self::Are(addresses) => {
                let addresses = addresses.clone();
                Box::pin(async { Ok(addresses) })
            }
            Self::Fail => Box::pin(async { Err(io::Error::other("no such name")) }),
            Self::Stall => Box::pin(std::future::pending()),
        }
    }
}

fn sink(options: HttpOptions, names: Names) -> HttpSink {
    let tls = ClientTls::trusting([test_authority()]);
    HttpSink::with_resolver(options, tls, clock(), Arc::new(names))
}

async fn post(sink: &HttpSink, url: &str) -> Result<u16, SinkError> {
    let request = http::Request::post(url)
        .body(Bytes::from_static(b"{}"))
        .unwrap();
    match sink.send(Outgoing::Http(request)).await? {
        Sent::Answer { status, .. } => Ok(status.as_u16()),
        Sent::Written => panic!("no answer"),
    }
}

/// The text of a network error.
async fn failure(sink: &HttpSink, url: &str) -> String {
    let error = post(sink, url).await.unwrap_err();
    assert_eq!(error.class, ReasonClass::Network);
    error.text
}

/// An address where nothing listens.
async fn dead_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
}

#[tokio::test]
async fn says_what_to_look_at_when_there_is_no_connection() {
    let dead = dead_address().await;
    assert_eq!(
        failure(
            &sink(LOOPBACK, Names::Are(vec![dead])),
            "http://acme.example"
        )
        .await,
        format!(
            "nothing listens at {dead} (`acme.example`); is the port right and the service up?"
        )
    );
    assert_eq!(
        failure(&sink(LOOPBACK, Names::Fail), "http://acme.example").await,
        "`acme.example` does not resolve; check its spelling and this machine's DNS: no such name"
    );
    assert_eq!(
        failure(
            &sink(LOOPBACK, Names::Are(Vec::new())),
            "http://acme.example"
        )
        .await,
        "`acme.example` resolves to no address; check its spelling and this machine's DNS"
    );
    let sink = sink(LOOPBACK, Names::Stall);
    assert_eq!(
        failure(&sink, "ftp://user:canary@acme.example/canary?canary").await,
        "`ftp://acme.example` is no http:// or https:// URL with a host"
    );
}

// The empty label makes the name invalid before any server is asked: the test needs no network.
#[tokio::test]
async fn asks_the_machine_for_names() {
    let sink = HttpSink::new(LOOPBACK, ClientTls::trusting([]), clock());
    let text = failure(&sink, "http://no..invalid/").await;
    assert!(
        text.starts_with("`no..invalid` does not resolve; check its spelling"),
        "{text}"
    );
}

#[tokio::test]
async fn goes_to_public_addresses_only_unless_told() {
    let destination = Destination::start(&clock(), |_| Reply::Status(200)).await;
    let address: SocketAddr = destination
        .url
        .trim_start_matches("http://")
        .parse()
        .unwrap();
    let mapped = SocketAddr::new("::ffff:127.0.0.1".parse().unwrap(), address.port());
    let public = "1.1.1.1:80".parse().unwrap();
    // One address that is not public is enough, wherever it stands.
    for names in [vec![address], vec![public, address], vec![mapped, public]] {
        let text = failure(&sink(PUBLIC, Names::Are(names)), "http://acme.example").await;
        let advice = "set `allow_private: true` at the destination if that is where it is";
        assert!(text.starts_with("`acme.example` resolves to "), "{text}");
        assert!(
            text.ends_with(&format!(", a loopback address; {advice}")),
            "{text}"
        );
    }
    assert_eq!(destination.received().len(), 0);
    let sink = sink(LOOPBACK, Names::Are(vec![address]));
    assert_eq!(post(&sink, "http://acme.example").await, Ok(200));
    assert_eq!(
        destination.received()[0].header("host"),
        Some("acme.example")
    );
}

#[tokio::test]
async fn every_way_to_write_loopback_is_loopback() {
    let sink = HttpSink::new(PUBLIC, ClientTls::trusting([]), clock());
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "127.1",
        "[::1]",
        "[::ffff:7f00:1]",
        "localhost",
    ] {
        let text = failure(&sink, &format!("http://{host}:1/")).await;
        assert!(text.contains(", a loopback address; "), "{host}: {text}");
    }
}

#[tokio::test]
async fn tries_the_next_address_when_one_refuses() {
    let destination = Destination::start(&clock(), |_| Reply::Status(200)).await;
    let alive = destination
        .url
        .trim_start_matches("http://")
        .parse()
        .unwrap();
    let sink = sink(LOOPBACK, Names::Are(vec![dead_address().await, alive]));
    assert_eq!(post(&sink, "http://acme.example").await, Ok(200));
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_ends_at_its_own_timeout() {
    let clock = clock();
    let tls = ClientTls::trusting([]);
    // One of these hangs in its name, the other in TLS: nobody ever accepts the connection.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = Names::Are(vec![silent.local_addr().unwrap()]);
    for (names, url) in [
        (Names::Stall, "http://acme.example"),
        (silent, "https://acme.example"),
    ] {
        let sink = HttpSink::with_resolver(LOOPBACK, tls.clone(), clock.clone(), Arc::new(names));
        let (sent, ()) = tokio::join!(post(&sink, url), async {
            for _ in 0..10 {
                tokio::task::yield_now().await;
                clock.advance(Duration::from_secs(1));
            }
        });
        let error = sent.unwrap_err();
        assert_eq!(error.class, ReasonClass::Timeout);
        assert_eq!(
            error.text,
            "no connection to `acme.example` within 10s; is a firewall in between?"
        );
    }
}

#[tokio::test]
async fn speaks_tls_with_whom_it_trusts() {
    let destination =
        Destination::start_tls(&clock(), "localhost.pem", |_| Reply::Status(200)).await;
    let sink = HttpSink::new(LOOPBACK, ClientTls::trusting([test_authority()]), clock());
    assert_eq!(post(&sink, &destination.url).await, Ok(200));
    assert_eq!(post(&sink, &destination.url).await, Ok(200));
    assert_eq!(destination.received()[1].connection, 0);
}

#[tokio::test]
async fn says_what_is_wrong_with_a_certificate() {
    let ours = ClientTls::trusting([test_authority()]);
    let certificate = rustls::pki_types::CertificateDer::from(b"no certificate".to_vec());
    let nobody = ClientTls::trusting([certificate]);
    for (certificate, tls, text) in [
        (
            "expired.pem",
            &ours,
            "has a certificate that has expired; renew it there, or set this machine's clock",
        ),
        (
            "elsewhere.pem",
            &ours,
            "has a certificate for another name; use the name the certificate is for",
        ),
        (
            "localhost.pem",
            &nobody,
            "cannot be trusted: this machine has no certificate authorities; \
             install its `ca-certificates` or set SSL_CERT_FILE",
        ),
    ] {
        let destination =
            Destination::start_tls(&clock(), certificate, |_| Reply::Status(200)).await;
        let sink = HttpSink::new(LOOPBACK, tls.clone(), clock());
        assert_eq!(
            failure(&sink, &destination.url).await,
            format!("`localhost` {text}")
        );
    }
}

#[tokio::test]
async fn does_not_trust_an_authority_it_does_not_know() {
    // Any other certificate will do as the only authority that is trusted.
    let leaf = crate::destination_fixture::tls_fixture("localhost.pem");
    let leaf = rustls::pki_types::pem::PemObject::from_pem_file(leaf).unwrap();
    let destination =
        Destination::start_tls(&clock(), "elsewhere.pem", |_| Reply::Status(200)).await;
    let sink = HttpSink::new(LOOPBACK, ClientTls::trusting([leaf]), clock());
    assert_eq!(
        failure(&sink, &destination.url).await,
        "`localhost` has a certificate of an authority this machine does not trust; if it is yours, \
         add the authority to the machine's certificates or set SSL_CERT_FILE"
    );
}

#[tokio::test]
async fn notices_the_wrong_scheme() {
    let sink = HttpSink::new(LOOPBACK, ClientTls::trusting([test_authority()]), clock());
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", plain.local_addr().unwrap());
    let (text, ()) = tokio::join!(failure(&sink, &url), async {
        let (mut stream, _) = plain.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 x\r\n\r\n").await.unwrap();
    });
    assert_eq!(
        text,
        "`127.0.0.1` does not answer with TLS; \
         is its URL meant to begin with http:// or to have another port?"
    );
    let encrypted = Destination::start_tls(&clock(), "localhost.pem", |_| Reply::Status(200)).await;
    let url = encrypted.url.replace("https://", "http://");
    assert_eq!(
        failure(&sink, &url).await,
        format!("{url} does not answer with HTTP/1.1; does its port expect https://?")
    );
}
