//! A destination that does what a test tells it to: answers, stalls, breaks off, lies about lengths.
//!
//! It speaks HTTP/1.1 over loopback without an HTTP library, since what it is for is mostly what a
//! library would not do. Everything that takes time takes it from the test's clock.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use trackway::clock::Clock;

/// What the destination does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Answers with a status and a body of `{}`.
    Status(u16),
    /// Answers with a status, one header and a body.
    Answer(u16, (&'static str, &'static str), Vec<u8>),
    /// Sends these bytes and closes.
    Close(Vec<u8>),
    /// Sends these bytes and resets the connection; over TLS, closes it without saying so.
    Reset(Vec<u8>),
    /// Sends these bytes, one each second.
    Drip(Vec<u8>),
    /// Waits, then does something else.
    After(Duration, Box<Self>),
    /// Never answers.
    Silence,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// Its number, from 0.
    pub(crate) number: usize,
    /// The number of its connection, from 0.
    pub(crate) connection: usize,
    /// Request line and headers as sent, without the empty line.
    pub(crate) head: String,
    /// The body, by `Content-Length`.
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The path and query.
    pub(crate) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or("")
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A running destination; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Destination {
    /// Scheme, host and port, without a path.
    pub(crate) url: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    script: Box<dyn Fn(&Received) -> Reply + Send + Sync>,
    clock: Clock,
    received: Mutex<Vec<Received>>,
    arrived: Notify,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Destination {
    /// Starts one at `http://127.0.0.1:PORT`.
    pub(crate) async fn start(
        clock: &Clock,
        script: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::run(clock, None, Box::new(script)).await
    }

    /// Starts one at `https://localhost:PORT` with a certificate of `tests/fixtures/tls`.
    pub(crate) async fn start_tls(
        clock: &Clock,
        certificate: &str,
        script: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let chain = vec![CertificateDer::from_pem_file(tls_fixture(certificate)).unwrap()];
        let key = PrivateKeyDer::from_pem_file(tls_fixture("localhost.key.pem")).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key);
        let tls = TlsAcceptor::from(Arc::new(config.unwrap()));
        Self::run(clock, Some(tls), Box::new(script)).await
    }

    async fn run(
        clock: &Clock,
        tls: Option<TlsAcceptor>,
        script: Box<dyn Fn(&Received) -> Reply + Send + Sync>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = match tls {
            Some(_) => format!("https://localhost:{port}"),
            None => format!("http://127.0.0.1:{port}"),
        };
        let shared = Arc::new(Shared {
            script,
            clock: clock.clone(),
            received: Mutex::default(),
            arrived: Notify::new(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, tls, Arc::clone(&shared)));
        Self {
            url,
            shared,
            _tasks: tasks,
        }
    }

    /// What has arrived so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits for the request of this number.
    pub(crate) async fn request(&self, number: usize) -> Received {
        loop {
            let arrived = self.shared.arrived.notified();
            if let Some(request) = self.received().get(number) {
                return request.clone();
            }
            arrived.await;
        }
    }
}

/// A file of `tests/fixtures/tls`.
pub(crate) fn tls_fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/tls")
        .join(name)
}

/// The authority that all certificates of the fixtures come from.
pub(crate) fn test_authority() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(&fs::read(tls_fixture("authority.pem")).unwrap()).unwrap()
}

/// A whole answer as bytes.
pub(crate) fn answer(status: u16, header: (&str, &str), body: &[u8]) -> Vec<u8> {
    let (name, value) = header;
    let length = body.len();
    let mut bytes = format!("HTTP/1.1 {status} x\r\n{name}: {value}\r\n").into_bytes();
    // Neither kind of answer has a body, so a length would be a lie or be forbidden.
    if 200 <= status && status != 204 && status != 304 {
        bytes.extend(format!("content-length: {length}\r\n\r\n").into_bytes());
        bytes.extend(body);
    } else {
        bytes.extend(b"\r\n");
    }
    bytes
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    for connection in 0_usize.. {
        let (stream, _) = listener.accept().await.unwrap();
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            // A client that goes away in the middle, or does not like the certificate, ends its
            // connection, not the test.
            if let Some(tls) = tls {
                if let Ok(mut stream) = tls.accept(stream).await {
                    serve(&mut stream, connection, &shared).await.ok();
                }
            } else {
                let mut stream = stream;
                if let Ok(End::Reset) = serve(&mut stream, connection, &shared).await {
                    stream.set_zero_linger().unwrap();
                }
            }
        });
    }
}

/// How a connection is to be ended.
enum End {
    Close,
    Reset,
}

async fn serve(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    connection: usize,
    shared: &Shared,
) -> io::Result<End> {
    let mut unread = Vec::new();
    loop {
        let (head, body) = read_request(stream, &mut unread).await?;
        let received = {
            let mut received = shared.received.lock().unwrap();
            let number = received.len();
            received.push(Received {
                number,
                connection,
                head,
                body,
            });
            received[number].clone()
        };
        shared.arrived.notify_waiters();
        let mut reply = (shared.script)(&received);
        while let Reply::After(wait, then) = reply {
            shared.clock.sleep(wait).await;
            reply = *then;
        }
        match reply {
            Reply::Status(status) => {
                stream.write_all(&answer(status, ("x", "y"), b"{}")).await?;
            }
            Reply::Answer(status, header, body) => {
                stream.write_all(&answer(status, header, &body)).await?;
            }
            Reply::Close(bytes) => {
                stream.write_all(&bytes).await?;
                stream.shutdown().await?;
                return Ok(End::Close);
            }
            Reply::Reset(bytes) => {
                stream.write_all(&bytes).await?;
                return Ok(End::Reset);
            }
            Reply::Drip(bytes) => {
                for byte in bytes {
                    shared.clock.sleep(Duration::from_secs(1)).await;
                    stream.write_all(&[byte]).await?;
                }
            }
            Reply::Silence | Reply::After(..) => std::future::pending().await,
        }
    }
}

/// Reads one request; an error when the client has closed.
async fn read_request(
    stream: &mut (impl AsyncRead + Unpin),
    unread: &mut Vec<u8>,
) -> io::Result<(String, Vec<u8>)> {
    let head_end = loop {
        if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(unread).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8(unread[..head_end].to_vec()).unwrap();
    let request = Received {
        number: 0,
        connection: 0,
        head,
        body: Vec::new(),
    };
    let length = request
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let body_start = head_end + 4;
    while unread.len() < body_start + length {
        if stream.read_buf(unread).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let body = unread[body_start..body_start + length].to_vec();
    unread.drain(..body_start + length);
    Ok((request.head, body))
}
