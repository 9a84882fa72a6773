//! A running listener and clients that speak to it in bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::Response;
use http::StatusCode;
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::watch;
use tokio::task::JoinSet;
use trackway::clock::Clock;
use trackway::clock::Timestamp;
use trackway::server::accept::AcceptLimits;
use trackway::server::accept::Listener;
use trackway::server::accept::Peer;
use trackway::server::accept::closing;
use trackway::server::body;
use trackway::server::body::BodyError;
use trackway::server::body::BodyLimits;
use trackway::server::tls::ServerTls;

pub(crate) const LIMITS: AcceptLimits = AcceptLimits {
    connections_max: 100,
    header_timeout: Duration::from_secs(120),
    grace: Duration::from_secs(30),
};

const BODY: BodyLimits = BodyLimits {
    bytes_max: 1000,
    pause_max: Duration::from_secs(10),
};

/// A running listener. Its service answers `SCHEME METHOD PATH: BODY`, after [`Running::go_on`] if the
/// path is `/wait`.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) stop: watch::Sender<bool>,
    /// Yields how many connections were cut off.
    pub(crate) served: JoinSet<usize>,
    gate: Arc<Gate>,
}

/// Where requests wait.
#[derive(Debug, Default)]
struct Gate {
    reached: Notify,
    open: Notify,
}

impl Running {
    pub(crate) async fn start(limits: AcceptLimits, tls: Option<ServerTls>) -> Self {
        let clock = Clock::manual(Timestamp::from_millis(1_767_323_045_678));
        let any = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(any, tls, limits, clock.clone())
            .await
            .unwrap();
        let address = listener.address();
        let (stop, stopped) = watch::channel(false);
        let gate = Arc::new(Gate::default());
        let mut served = JoinSet::new();
        let service = {
            let (clock, gate) = (clock.clone(), Arc::clone(&gate));
            move |request, peer| answer(request, peer, clock.clone(), Arc::clone(&gate))
        };
        served.spawn(listener.serve(service, stopped));
        Self {
            address,
            clock,
            stop,
            served,
            gate,
        }
    }

    pub(crate) async fn plain() -> Self {
        Self::start(LIMITS, None).await
    }

    pub(crate) async fn client(&self) -> Client<TcpStream> {
        Client::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// Waits until a request to `/wait` waits.
    pub(crate) async fn waiting(&self) {
        self.gate.reached.notified().await;
    }

    /// Lets the request to `/wait` go on.
    pub(crate) fn go_on(&self) {
        self.gate.open.notify_one();
    }

    /// Moves the clock by a second again and again until `event` happens; returns how many it took.
    pub(crate) async fn seconds_until<T>(&self, event: impl Future<Output = T>) -> (u64, T) {
        tokio::pin!(event);
        let mut seconds = 0;
        loop {
            tokio::select! {
                biased;
                happened = &mut event => return (seconds, happened),
                () = tokio::task::yield_now() => {}
            }
            assert!(seconds < 10_000, "it never happens");
            seconds += 1;
            self.clock.advance(Duration::from_secs(1));
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    peer: Peer,
    clock: Clock,
    gate: Arc<Gate>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let (status, body) = match body::read(body, BODY, &clock).await {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => {
            let status = match error {
                BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
                BodyError::Timeout => StatusCode::REQUEST_TIMEOUT,
                BodyError::Aborted => StatusCode::BAD_REQUEST,
            };
            let mut response = Response::new(Full::from(error.to_string()));
            *response.status_mut() = status;
            return closing(response);
        }
    };
    if head.uri.path() == "/wait" {
        gate.reached.notify_one();
        gate.open.notified().await;
    }
    let mut text = format!("{} {} {}: ", peer.scheme.name(), head.method, head.uri).into_bytes();
    text.extend(body);
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}

/// The other end of a connection.
#[derive(Debug)]
pub(crate) struct Client<S> {
    pub(crate) stream: S,
    unread: Vec<u8>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn status(&self) -> &str {
        self.head.get(9..12).unwrap_or("")
    }

    pub(crate) fn closes(&self) -> bool {
        self.head.contains("connection: close\r\n")
    }
}

impl<S: AsyncRead + tokio::io::AsyncWrite + Unpin> Client<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next answer, its body by `Content-Length`.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = loop {
            if let Some(end) = self
                .unread
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break self.take(end + 4);
            }
            assert_ne!(
                self.stream.read_buf(&mut self.unread).await.unwrap(),
                0,
                "no answer"
            );
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        while self.unread.len() < length {
            assert_ne!(
                self.stream.read_buf(&mut self.unread).await.unwrap(),
                0,
                "half an answer"
            );
        }
        Answer {
            head,
            body: self.take(length),
        }
    }

    /// What comes until the connection is closed.
    pub(crate) async fn rest(&mut self) -> String {
        self.stream.read_to_end(&mut self.unread).await.unwrap();
        self.take(self.unread.len())
    }

    fn take(&mut self, length: usize) -> String {
        String::from_utf8(self.unread.drain(..length).collect()).unwrap()
    }
}
