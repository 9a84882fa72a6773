//! TLS towards clients: who is served, who is not, and what is said about files that do not fit.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use trackway::server::tls::ServerTls;

use crate::destination_fixture::test_authority;
use crate::destination_fixture::tls_fixture;
use crate::listener_fixture::Client;
use crate::listener_fixture::LIMITS;
use crate::listener_fixture::Running;

async fn encrypted() -> Running {
    let tls = ServerTls::load(
        &tls_fixture("localhost.pem"),
        &tls_fixture("localhost.key.pem"),
    );
    Running::start(LIMITS, Some(tls.unwrap())).await
}

#[tokio::test]
async fn serves_over_tls() {
    let running = encrypted().await;
    let mut roots = RootCertStore::empty();
    roots.add(test_authority()).unwrap();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(running.address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    let mut client = Client::new(stream);
    for _ in 0..2 {
        client
            .send("GET /a HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await;
        assert_eq!(client.answer().await.body, "https GET /a: ");
    }
}

#[tokio::test]
async fn serves_nobody_in_the_clear() {
    let running = encrypted().await;
    let mut client = running.client().await;
    client
        .send("GET /a HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await;
    let mut alert = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut client.stream, &mut alert).await;
    // A TLS alert, or a reset in its place: never an answer.
    assert!(read.is_err() || !alert.starts_with(b"HTTP"), "{alert:?}");
}

#[tokio::test]
async fn does_not_wait_for_ever_for_a_handshake() {
    let running = encrypted().await;
    let mut client = running.client().await;
    let (seconds, rest) = running.seconds_until(client.rest()).await;
    assert!(10 <= seconds, "{seconds}");
    assert_eq!(rest, "");
}

#[test]
fn says_which_file_does_not_fit() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let certificate = tls_fixture("localhost.pem");
    let key = tls_fixture("localhost.key.pem");
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let encrypted = file("encrypted.pem", encrypted);
    let cut = file("cut.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    let empty = file(
        "empty.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let absent = dir.path().join("absent.pem");
    let stray = tls_fixture("stray.key.pem");
    let say = |certificate: &Path, key: &Path| {
        let text = ServerTls::load(certificate, key).unwrap_err().to_string();
        let text = text.replace(dir.path().to_str().unwrap(), "TMP");
        text.replace(tls_fixture("").to_str().unwrap(), "FIXTURES/")
    };
    insta::assert_snapshot!(
        [
            say(&absent, &key),
            say(&certificate, &absent),
            say(&key, &key),
            say(&certificate, &certificate),
            say(&certificate, &encrypted),
            say(&certificate, &stray),
            say(&cut, &key),
            say(&empty, &key),
        ]
        .join("\n")
    );
}
