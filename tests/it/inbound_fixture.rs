//! A request through everything that is decided about it before the journal, without a socket.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use http::Response;
use trackway::event::Call;
use trackway::ingest::Decoded;
use trackway::ingest::Endpoint;
use trackway::ingest::Limits;
use trackway::ingest::auth::Credential;
use trackway::ingest::auth::Credentials;
use trackway::ingest::decode;
use trackway::ingest::rejection::Rejection;
use trackway::server::respond;
use trackway::value::Arena;

/// `site-id:api-key`, the credentials of the source `web`.
pub(crate) const WEB: &str = "Basic c2l0ZS1pZDphcGkta2V5";

/// A request as a client sends it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inbound<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: &'a str,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) response: Response<Bytes>,
    pub(crate) calls: Vec<Call>,
}

impl<'a> Inbound<'a> {
    /// A JSON request of the source `web`.
    pub(crate) fn new(method: &'a str, target: &'a str, body: &'a str) -> Self {
        let content_type = Some("application/json");
        Self {
            method,
            target,
            authorization: Some(WEB),
            content_type,
            body,
        }
    }

    /// Answers it as a gateway that knows the credentials of the captured requests, and no default
    /// source.
    pub(crate) fn send(self) -> Outcome {
        if self.method == "OPTIONS" {
            return Outcome {
                response: respond::preflight(),
                calls: Vec::new(),
            };
        }
        match self.decode() {
            Ok(decoded) => {
                let url = || "https://gateway.example.com".to_owned();
                Outcome {
                    response: respond::accepted(&decoded, url),
                    calls: decoded.calls,
                }
            }
            Err(rejection) => Outcome {
                response: respond::rejected(&rejection),
                calls: Vec::new(),
            },
        }
    }

    fn decode(self) -> Result<Decoded, Rejection> {
        let method: Method = self.method.parse().unwrap();
        let endpoint = Endpoint::of(&method, self.target)?;
        let identity = credentials().identify(self.authorization.map(str::as_bytes));
        endpoint.admit(identity, None)?;
        let body = Bytes::copy_from_slice(self.body.as_bytes());
        decode(
            &endpoint,
            self.content_type,
            &body,
            &Limits::default(),
            &Arena::new(),
        )
    }
}

impl Outcome {
    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.response.body()).unwrap()
    }
}

fn credentials() -> Credentials {
    let known: Vec<(Arc<str>, Arc<str>, &str)> = [
        ("web", "site-id", "api-key"),
        // Of these two the standard and the URL-safe base64 differ.
        ("go", "site~~~", "key???>>>"),
        ("short", "s", "k"),
    ]
    .into_iter()
    .map(|(source, site_id, api_key)| (source.into(), site_id.into(), api_key))
    .collect();
    Credentials::new(known.iter().map(|(source, site_id, api_key)| Credential {
        source,
        site_id,
        api_key,
    }))
}
