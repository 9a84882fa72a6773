//! HTTP requests to a destination, over connections that are kept.
//!
//! One request, one answer: no redirects are followed and no proxy is taken from the environment,
//! since either would carry events and secrets to a host that nobody configured.

use std::error::Error;
use std::io;
use std::iter;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytes::BytesMut;
use http::HeaderValue;
use http::Request;
use http::header::USER_AGENT;
use http_body_util::BodyExt;
use http_body_util::Full;
use hyper::body::Body;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::clock::Clock;
use crate::deliver::sink::Sending;
use crate::deliver::sink::Sent;
use crate::deliver::sink::Sink;
use crate::deliver::sink::SinkError;
use crate::deliver::sink::connect::ConnectError;
use crate::deliver::sink::connect::Connector;
use crate::deliver::sink::connect::seconds;
use crate::deliver::sink::connect::without_secrets;
use crate::deliver::sink::resolve::Resolve;
use crate::deliver::sink::resolve::SystemResolver;
use crate::deliver::sink::tls::ClientTls;
use crate::event::delivery::Outgoing;
use crate::event::delivery::ReasonClass;

/// How much of an answer's body is read, in bytes. Enough for a list of refusals of a thousand items;
/// what is longer is cut.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// How large the head of an answer may be, in bytes. Generous: load balancers add long cookies.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// How long a connection is kept without a request. Shorter than the 60 s after which common load
/// balancers close: a request that meets a closing connection has to be sent again.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("Trackway/", env!("CARGO_PKG_VERSION")));

/// How requests to one destination are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// How long a request may take, from the resolver to the answer's last byte.
    pub timeout: Duration,
    /// How much of that the connection may take: name, TCP and TLS.
    pub connect_timeout: Duration,
    /// Connections that are kept while idle: as many as there are requests at once.
    pub connections: usize,
    /// Whether the address may be loopback, private or link-local.
    pub allow_private: bool,
}

impl Default for HttpOptions {
    /// 30 s for a request, which slow import endpoints need; 10 s for its connection, three lost SYN
    /// packets; 8 connections; public addresses only.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            connections: 8,
            allow_private: false,
        }
    }
}

/// Sends requests to one destination. Its lanes share one, and with it the connections.
#[derive(Debug)]
pub struct HttpSink {
    client: Client<Connector, Full<Bytes>>,
    clock: Clock,
    timeout: Duration,
}

impl HttpSink {
    /// A sink that asks the machine for addresses. Opens nothing yet.
    pub fn new(options: HttpOptions, tls: ClientTls, clock: Clock) -> Self {
        Self::with_resolver(options, tls, clock, Arc::new(SystemResolver))
    }

    /// A sink that asks `resolver` for addresses.
    pub fn with_resolver(
        options: HttpOptions,
        tls: ClientTls,
        clock: Clock,
        resolver: Arc<dyn Resolve>,
    ) -> Self {
        let connector = Connector {
            resolver,
            tls,
            clock: clock.clone(),
            timeout: options.connect_timeout.min(options.timeout),
            allow_private: options.allow_private,
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(options.connections)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .build(connector);
        Self {
            client,
            clock,
            timeout: options.timeout,
        }
    }

    async fn request(&self, mut request: Request<Bytes>) -> Result<Sent, SinkError> {
        request.headers_mut().entry(USER_AGENT).or_insert(AGENT);
        let host = without_secrets(request.uri());
        let due = self.clock.tick().after(self.timeout);
        tokio::select! {
            biased;
            sent = self.exchange(request.map(Full::new), &host) => sent,
            () = self.clock.sleep_until(due) => {
                let after = seconds(self.timeout);
                let text = format!("no complete answer from {host} within {after}");
                Err(SinkError::new(ReasonClass::Timeout, text))
            }
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>, host: &str) -> Result<Sent, SinkError> {
        let answer = self
            .client
            .request(request)
            .await
            .map_err(|error| explain(&error, host))?;
        let (head, body) = answer.into_parts();
        let body = first_bytes(body)
            .await
            .map_err(|error| explain(&error, host))?;
        Ok(Sent::Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }
}

impl Sink for HttpSink {
    fn send(&self, outgoing: Outgoing) -> Sending<'_> {
        Box::pin(async move {
            match outgoing {
                Outgoing::Http(request) => self.request(request).await,
                Outgoing::Lines(_) => Err(SinkError::misframed("HTTP requests")),
            }
        })
    }
}

/// The first [`ANSWER_BYTES_MAX`] bytes of a body. The rest is dropped, which closes the connection
/// unless all of it is here already: reading on could take for ever.
async fn first_bytes(mut body: Incoming) -> Result<Bytes, hyper::Error> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut bytes = BytesMut::with_capacity(expected.min(ANSWER_BYTES_MAX));
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        let room = ANSWER_BYTES_MAX - bytes.len();
        if room < data.len() {
            bytes.extend_from_slice(data.get(..room).unwrap_or(&data));
            break;
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// Says what broke a request.
fn explain(error: &(dyn Error + 'static), host: &str) -> SinkError {
    let mut text = format!("the request to {host} failed");
    for cause in iter::successors(Some(error), |&error| error.source()) {
        if let Some(error) = cause.downcast_ref::<ConnectError>() {
            return SinkError::new(error.class(), error.explain());
        }
        if let Some(known) = cause
            .downcast_ref()
            .and_then(|error| explain_http(error, host))
        {
            text = known;
        } else if let Some(error) = cause.downcast_ref::<io::Error>() {
            text = match error.kind() {
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                    format!("{host} reset the connection before its answer was complete")
                }
                io::ErrorKind::UnexpectedEof => closed_early(host),
                _ => format!("the connection to {host} failed: {error}"),
            };
        }
    }
    SinkError::new(ReasonClass::Network, text)
}

fn explain_http(error: &hyper::Error, host: &str) -> Option<String> {
    if error.is_parse_too_large() {
        let kib = HEAD_BYTES_MAX / 1024;
        Some(format!(
            "the head of {host}'s answer is larger than {kib} KiB"
        ))
    } else if error.is_parse() {
        Some(format!(
            "{host} does not answer with HTTP/1.1; does its port expect https://?"
        ))
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        Some(closed_early(host))
    } else {
        None
    }
}

fn closed_early(host: &str) -> String {
    format!("{host} closed the connection before its answer was complete")
}
