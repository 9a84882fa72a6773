//! Connections: accepted up to a limit, encrypted if wanted, served HTTP/1.1, closed in peace.
//!
//! hyper does the HTTP. What it leaves open is settled here:
//! - it answers a request without `Host`, or with two: such a request gets a 400 here;
//! - a request with both `Content-Length` and `Transfer-Encoding` is read by the latter and its
//!   connection is closed after the answer, one of the two ways RFC 9112 (6.3) allows. hyper hides the
//!   length from services, so it cannot be told apart, but nothing can be smuggled behind it either;
//! - a head that is no HTTP, or larger than [`HEAD_BYTES_MAX`] or 100 headers, gets hyper's own 400 or
//!   431, without a body, and one that does not arrive in time is closed without an answer;
//! - the timeout for heads runs while a connection is idle as well, so it must be longer than clients
//!   keep idle connections: Go 90 s, others less.
//!
//! A client that goes away cancels its request: the service's future is dropped at an await.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http::Request;
use http::Response;
use http::StatusCode;
use http::Version;
use http::header::CONNECTION;
use http::header::CONTENT_TYPE;
use http::header::HOST;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::server::linger::Lingering;
use crate::server::timer::ClockTimer;
use crate::server::tls::ServerTls;

/// Most bytes of a request's line and headers together. Twice what common servers take by default.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How long a TLS handshake may take: several round trips to the other side of the world.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait when the process has run out of file descriptors or memory for sockets: some
/// connection ends meanwhile, and trying at once would only burn the processor.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The other end of the connection; a proxy, if there is one.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub scheme: Scheme,
}

/// How requests come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Bounds of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptLimits {
    /// Connections open at once; beyond it new ones wait in the kernel.
    pub connections_max: usize,
    /// How long a client may take over the head of a request, and how long an idle connection is kept.
    pub header_timeout: Duration,
    /// How long requests may go on after the stop signal.
    pub grace: Duration,
}

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Somebody else listens there.
    #[error("{address} is in use by another process; stop it or listen on another port")]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// Ports below 1024 are for the privileged.
    #[error(
        "listening on {address} is not permitted; use a port from 1024 on or grant CAP_NET_BIND_SERVICE"
    )]
    NotPermitted {
        /// The address.
        address: SocketAddr,
    },
    /// No interface has the address.
    #[error("{address} is no address of this machine; 0.0.0.0 or [::] listens on all it has")]
    NotAvailable {
        /// The address.
        address: SocketAddr,
    },
    /// Something else.
    #[error("cannot listen on {address}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Marks `response` as the last one of its connection. For requests that were refused with their body
/// unread: what the client still sends is then thrown away for 2 seconds, so that it sees the answer.
pub fn closing(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A bound address: connections may arrive, and wait until [`Listener::serve`].
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    tls: Option<ServerTls>,
    limits: AcceptLimits,
    clock: Clock,
}

impl Listener {
    /// Listens on `address`; port 0 takes any that is free.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<ServerTls>,
        limits: AcceptLimits,
        clock: Clock,
    ) -> Result<Self, BindError> {
        let refuse = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse { address },
            io::ErrorKind::PermissionDenied => BindError::NotPermitted { address },
            io::ErrorKind::AddrNotAvailable => BindError::NotAvailable { address },
            _ => BindError::Other { address, source },
        };
        let tcp = TcpListener::bind(address).await.map_err(refuse)?;
        let address = tcp.local_addr().map_err(refuse)?;
        Ok(Self {
            tcp,
            address,
            tls,
            limits,
            clock,
        })
    }

    /// The address, with the port that was taken.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves connections until `stop` holds true or its sender is gone. Then nothing new is accepted,
    /// idle connections are closed, and requests in flight are finished within the grace period.
    /// Returns how many connections had to be cut off.
    ///
    /// Owns a task for each connection; dropping the future ends them all.
    pub async fn serve<S, F>(self, service: S, mut stop: watch::Receiver<bool>) -> usize
    where
        S: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
        F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    {
        let Self {
            tcp,
            tls,
            limits,
            clock,
            ..
        } = self;
        let server = Arc::new(Server::new(
            service,
            tls,
            limits,
            clock.clone(),
            stop.clone(),
        ));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                Some(ended) = connections.join_next() => report(ended),
                accepted = tcp.accept(), if connections.len() < limits.connections_max => {
                    match accepted {
                        Ok((stream, address)) => {
                            connections.spawn(Arc::clone(&server).connection(stream, address));
                        }
                        Err(error) => pause(&error, &clock).await,
                    }
                }
            }
        }
        drop(tcp);
        let end = clock.tick().after(limits.grace);
        loop {
            tokio::select! {
                biased;
                ended = connections.join_next() => match ended {
                    Some(ended) => report(ended),
                    None => return 0,
                },
                () = clock.sleep_until(end) => {
                    let cut = connections.len();
                    connections.shutdown().await;
                    return cut;
                }
            }
        }
    }
}

/// What all connections of a listener share.
struct Server<S> {
    service: S,
    tls: Option<ServerTls>,
    http: http1::Builder,
    timer: ClockTimer,
    clock: Clock,
    stop: watch::Receiver<bool>,
}

impl<S, F> Server<S>
where
    S: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    fn new(
        service: S,
        tls: Option<ServerTls>,
        limits: AcceptLimits,
        clock: Clock,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let timer = ClockTimer::new(clock.clone());
        let mut http = http1::Builder::new();
        // Without a number of its own hyper takes 100 headers, and parses them without allocating.
        http.timer(timer.clone())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_header_size(HEAD_BYTES_MAX);
        Self {
            service,
            tls,
            http,
            timer,
            clock,
            stop,
        }
    }

    /// One connection, from its first byte to its last.
    async fn connection(self: Arc<Self>, stream: TcpStream, address: SocketAddr) {
        // Answers are written at once and should leave at once.
        stream.set_nodelay(true).ok();
        let peer = |scheme| Peer { address, scheme };
        let Some(tls) = &self.tls else {
            self.exchange(stream, peer(Scheme::Http)).await;
            return;
        };
        let mut stop = self.stop.clone();
        let stream = tokio::select! {
            biased;
            stream = tls.acceptor().accept(stream) => stream,
            () = self.clock.sleep(HANDSHAKE_TIMEOUT) => Err(io::ErrorKind::TimedOut.into()),
            () = stopped(&mut stop) => return,
        };
        match stream {
            Ok(stream) => self.exchange(stream, peer(Scheme::Https)).await,
            Err(error) => tracing::debug!(%address, %error, "TLS handshake failed"),
        }
    }

    /// Requests and answers on one connection.
    async fn exchange(&self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: Peer) {
        let last = Arc::new(AtomicBool::new(false));
        let stream = Lingering::new(stream, Arc::clone(&last), self.timer.clone());
        let service = service_fn(|request| {
            let last = Arc::clone(&last);
            async move {
                let answer = match refusal(&request) {
                    Some(refused) => refused,
                    None => (self.service)(request, peer).await,
                };
                let closes = answer
                    .headers()
                    .get(CONNECTION)
                    .is_some_and(|how| how == "close");
                // Relaxed: the connection that reads it is polled by the same task.
                last.store(closes, Ordering::Relaxed);
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let mut stop = self.stop.clone();
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(address = %peer.address, %error, "connection ended early");
        }
    }
}

/// The answer to a request that must not be served: a proxy in front could take it for another host's.
fn refusal(request: &Request<Incoming>) -> Option<Response<Full<Bytes>>> {
    let text = match request.headers().get_all(HOST).iter().count() {
        0 if request.version() == Version::HTTP_11 => "the Host header is missing",
        0 | 1 => return None,
        _ => "there is more than one Host header",
    };
    let body = format!(r#"{{"meta":{{"errors":["{text}"]}}}}"#);
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(closing(response))
}

/// Waits for the stop signal.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Whoever could send it being gone is one.
    stop.wait_for(|stop| *stop).await.ok();
}

async fn pause(error: &io::Error, clock: &Clock) {
    if matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    ) {
        // The client left before it was accepted.
        return;
    }
    tracing::warn!(%error, "no connection can be accepted at the moment");
    clock.sleep(EXHAUSTED_PAUSE).await;
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}
