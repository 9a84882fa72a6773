//! Connections to destinations: resolve once, check every address, connect to what was checked.

use std::error::Error;
use std::io;
use std::iter;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::Connected;
use hyper_util::client::legacy::connect::Connection;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use crate::clock::Clock;
use crate::clock::Tick;
use crate::deliver::sink::address::restriction;
use crate::deliver::sink::resolve::Resolve;
use crate::deliver::sink::tls::ClientTls;
use crate::deliver::sink::tls::HandshakeError;
use crate::event::delivery::ReasonClass;

/// Opens connections for the pool of one destination.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) tls: ClientTls,
    pub(super) clock: Clock,
    /// How long all of it may take: name, connection, TLS.
    pub(super) timeout: Duration,
    /// Whether addresses that are not public are taken too.
    pub(super) allow_private: bool,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("`{0}` is no http:// or https:// URL with a host")]
    Url(String),
    #[error("`{host}` does not resolve; check its spelling and this machine's DNS")]
    Unresolved { host: String, source: io::Error },
    #[error("`{host}` resolves to no address; check its spelling and this machine's DNS")]
    NoAddress { host: String },
    #[error(
        "`{host}` resolves to {address}, {kind}; \
         set `allow_private: true` at the destination if that is where it is"
    )]
    Restricted {
        host: String,
        address: SocketAddr,
        kind: &'static str,
    },
    #[error("nothing listens at {address} (`{host}`); is the port right and the service up?")]
    Refused { host: String, address: SocketAddr },
    #[error("{address} (`{host}`) cannot be reached")]
    Unreachable {
        host: String,
        address: SocketAddr,
        source: io::Error,
    },
    #[error("`{host}` {error}")]
    Handshake { host: String, error: HandshakeError },
    #[error("no connection to `{host}` within {}; is a firewall in between?", seconds(*.after))]
    Timeout { host: String, after: Duration },
}

impl ConnectError {
    pub(super) fn class(&self) -> ReasonClass {
        match self {
            Self::Timeout { .. } => ReasonClass::Timeout,
            _ => ReasonClass::Network,
        }
    }

    /// The error and what caused it, in one line.
    pub(super) fn explain(&self) -> String {
        let mut text = self.to_string();
        for cause in iter::successors(self.source(), |&error| error.source()) {
            text = format!("{text}: {cause}");
        }
        text
    }
}

/// A stretch of time as people write it, `10s` or `1.5s`.
pub(super) fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs_f64())
}

impl Connector {
    async fn connect(self, url: Uri) -> Result<Stream, ConnectError> {
        let (host, port, encryption) = endpoint(&url)?;
        let due = self.clock.tick().after(self.timeout);
        tokio::select! {
            biased;
            // Order: the last address has until `due` too, and this says it better.
            () = self.clock.sleep_until(due) => {
                Err(ConnectError::Timeout { host: host.to_owned(), after: self.timeout })
            }
            stream = self.open(host, port, encryption, due) => stream,
        }
    }

    async fn open(
        &self,
        host: &str,
        port: u16,
        encryption: Encryption,
        due: Tick,
    ) -> Result<Stream, ConnectError> {
        let addresses = self.addresses(host, port).await?;
        let stream = self.dial(host, &addresses, due).await?;
        match encryption {
            Encryption::None => Ok(Stream::Plain(stream)),
            Encryption::Tls => match self.tls.handshake(host, stream).await {
                Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
                Err(error) => Err(ConnectError::Handshake {
                    host: host.to_owned(),
                    error,
                }),
            },
        }
    }

    /// The addresses of a host, each of them checked: one that is not public forbids all.
    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
        let host_text = || host.to_owned();
        let addresses =
            self.resolver
                .resolve(host, port)
                .await
                .map_err(|source| ConnectError::Unresolved {
                    host: host_text(),
                    source,
                })?;
        if addresses.is_empty() {
            return Err(ConnectError::NoAddress { host: host_text() });
        }
        if !self.allow_private {
            for &address in &addresses {
                if let Some(kind) = restriction(address.ip()) {
                    return Err(ConnectError::Restricted {
                        host: host_text(),
                        address,
                        kind,
                    });
                }
            }
        }
        Ok(addresses)
    }

    /// Connects to the first address that answers. Each one gets an equal share of the time left, so
    /// that a network without IPv6 does not cost the whole of it.
    async fn dial(
        &self,
        host: &str,
        addresses: &[SocketAddr],
        due: Tick,
    ) -> Result<TcpStream, ConnectError> {
        let mut failure = ConnectError::NoAddress {
            host: host.to_owned(),
        };
        let mut to_try = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        for &address in addresses {
            let now = self.clock.tick();
            let share = now.after(due.since(now) / to_try.max(1));
            to_try = to_try.saturating_sub(1);
            let connected = tokio::select! {
                biased;
                connected = TcpStream::connect(address) => connected,
                () = self.clock.sleep_until(share) => Err(io::ErrorKind::TimedOut.into()),
            };
            failure = match connected {
                Ok(stream) => {
                    // A request is written at once and should leave at once.
                    stream.set_nodelay(true).ok();
                    return Ok(stream);
                }
                Err(source) if source.kind() == io::ErrorKind::ConnectionRefused => {
                    ConnectError::Refused {
                        host: host.to_owned(),
                        address,
                    }
                }
                Err(source) => ConnectError::Unreachable {
                    host: host.to_owned(),
                    address,
                    source,
                },
            };
        }
        Err(failure)
    }
}

/// Whether a URL asks for TLS.
#[derive(Clone, Copy)]
enum Encryption {
    None,
    Tls,
}

/// Host without brackets, port, and scheme of a URL.
fn endpoint(url: &Uri) -> Result<(&str, u16, Encryption), ConnectError> {
    let (encryption, port) = match url.scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => (Encryption::None, 80),
        Some(scheme) if *scheme == Scheme::HTTPS => (Encryption::Tls, 443),
        _ => return Err(ConnectError::Url(without_secrets(url))),
    };
    match url.host() {
        Some(host) if !host.is_empty() => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Ok((host, url.port_u16().unwrap_or(port), encryption))
        }
        _ => Err(ConnectError::Url(without_secrets(url))),
    }
}

/// Scheme and host of a URL: its path and query may hold a token, its authority a password.
pub(super) fn without_secrets(url: &Uri) -> String {
    let host = url.host().unwrap_or("");
    let port = url
        .port_u16()
        .map_or_else(String::new, |port| format!(":{port}"));
    let scheme = url
        .scheme_str()
        .map_or_else(String::new, |scheme| format!("{scheme}://"));
    format!("{scheme}{host}{port}")
}

/// A connection, encrypted or not.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

// === impl Connector ===

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Stream>, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect(url).await.map(TokioIo::new) })
    }
}

// === impl Stream ===

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
