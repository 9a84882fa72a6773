//! Batches → HTTP requests: wrapping, secrets, compression and signature, as the lane has it.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Uri;
use http::header;
use sha2::Sha256;
use uuid::Uuid;

use crate::config::settings::BodyFormat;
use crate::config::settings::DestinationSettings;
use crate::config::settings::ResponseRule;
use crate::event::delivery::Batch;
use crate::event::delivery::Frame;
use crate::event::delivery::FramingError;
use crate::event::delivery::Outgoing;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;
use crate::expr::Template;
use crate::expr::scope::Budget;
use crate::expr::template::OnError;
use crate::route::plan::DestinationPlan;
use crate::route::plan::LaneTarget;
use crate::route::secret::ITEMS;
use crate::route::secret::Piece;
use crate::route::secret::Secrets;
use crate::route::secret::marked_strings;
use crate::route::settings::settings_value;
use crate::route::translate::scope;
use crate::value::Arena;
use crate::value::ParseLimits;
use crate::value::Value;
use crate::value::parse;
use crate::value::write;

/// An HTTP lane with everything evaluated that does not change from request to request.
#[derive(Debug)]
pub struct HttpLane {
    /// The method.
    pub method: Method,
    /// Where requests go; never changes, so an event cannot choose a host.
    pub uri: Uri,
    pub(super) authorization: Option<Authorization>,
    /// Names and marked values.
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) format: BodyFormat,
    pub(super) wrap: Option<Template>,
    pub(super) gzip: bool,
    pub(super) signing: Option<Signing>,
    pub(super) responses: Vec<ResponseRule>,
    pub(super) one_by_one: bool,
}

/// Standard Webhooks headers.
#[derive(Debug)]
pub(super) struct Signing {
    /// The marked secret; without it id and timestamp are sent and no signature.
    pub(super) secret: Option<String>,
}

/// An authorization header over marked texts.
#[derive(Debug)]
pub(super) enum Authorization {
    Basic(String, String),
    Bearer(String),
}

impl Frame for DestinationPlan {
    fn frame(&self, batch: &Batch<'_>) -> Result<Outgoing, FramingError> {
        match self
            .lanes
            .get(usize::from(batch.lane.0))
            .map(|lane| &lane.target)
        {
            Some(LaneTarget::Http(lane)) => lane
                .request(&self.settings, batch, &self.secrets)
                .map(Outgoing::Http),
            Some(LaneTarget::File(_) | LaneTarget::Stdout) => {
                let mut lines = Vec::with_capacity(total(batch));
                for body in batch.bodies {
                    self.secrets.fill_json(body, &mut lines)?;
                    lines.push(b'\n');
                }
                Ok(Outgoing::Lines(lines.into()))
            }
            None => Err(invalid("the lane is no longer configured")),
        }
    }
}

impl HttpLane {
    fn request(
        &self,
        settings: &DestinationSettings,
        batch: &Batch<'_>,
        secrets: &Secrets,
    ) -> Result<Request<Bytes>, FramingError> {
        let mut body = self.body(settings, batch, secrets)?;
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.content_type()),
        );
        for (name, marked) in &self.headers {
            headers.insert(
                name.clone(),
                header_value(&secrets.fill_text(marked)?, name)?,
            );
        }
        if let Some(authorization) = &self.authorization {
            let text = authorization.fill(secrets)?;
            let mut value = header_value(&text, &header::AUTHORIZATION)?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        if let Some(signing) = &self.signing {
            let secret = signing
                .secret
                .as_ref()
                .map(|marked| secrets.fill_text(marked));
            sign(headers, secret.transpose()?.as_deref(), batch, &body)?;
        }
        if self.gzip {
            body = compress(&body).map_err(|error| invalid(&error.to_string()))?;
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        *request.body_mut() = body.into();
        Ok(request)
    }

    const fn content_type(&self) -> &'static str {
        match self.format {
            BodyFormat::Json => "application/json",
            BodyFormat::Ndjson => "application/x-ndjson",
            BodyFormat::Form => "application/x-www-form-urlencoded",
        }
    }

    fn body(
        &self,
        settings: &DestinationSettings,
        batch: &Batch<'_>,
        secrets: &Secrets,
    ) -> Result<Vec<u8>, FramingError> {
        let mut body = Vec::with_capacity(total(batch) + 64);
        match &self.wrap {
            None if self.format == BodyFormat::Ndjson => {
                for item in batch.bodies {
                    secrets.fill_json(item, &mut body)?;
                    body.push(b'\n');
                }
            }
            None => self.put_items(batch, secrets, &mut body)?,
            Some(wrap) => {
                let wrapper = wrapper(wrap, settings, batch)?;
                for piece in marked_strings(&wrapper) {
                    match piece {
                        Piece::Plain(plain) => body.extend_from_slice(plain),
                        Piece::Mark(number) if number == ITEMS.to_string().as_bytes() => {
                            self.put_items(batch, secrets, &mut body)?;
                        }
                        Piece::Mark(number) => {
                            let marked = [b"\"\x01", number, b"\x01\""].concat();
                            secrets.fill_json(&marked, &mut body)?;
                        }
                    }
                }
            }
        }
        if self.format == BodyFormat::Form {
            form(&body)
        } else {
            Ok(body)
        }
    }

    fn put_items(
        &self,
        batch: &Batch<'_>,
        secrets: &Secrets,
        body: &mut Vec<u8>,
    ) -> Result<(), FramingError> {
        if self.one_by_one && self.wrap.is_none() {
            let first = batch.bodies.first().copied().unwrap_or(b"null");
            return secrets.fill_json(first, body);
        }
        body.push(b'[');
        for (n, item) in batch.bodies.iter().enumerate() {
            if 0 < n {
                body.push(b',');
            }
            secrets.fill_json(item, body)?;
        }
        body.push(b']');
        Ok(())
    }
}

impl Authorization {
    fn fill(&self, secrets: &Secrets) -> Result<String, FramingError> {
        Ok(match self {
            Self::Bearer(token) => format!("Bearer {}", secrets.fill_text(token)?),
            Self::Basic(user, password) => {
                let pair = format!(
                    "{}:{}",
                    secrets.fill_text(user)?,
                    secrets.fill_text(password)?
                );
                format!("Basic {}", BASE64.encode(pair))
            }
        })
    }
}

/// What is put around the items, with the mark of the items in it.
fn wrapper(
    wrap: &Template,
    settings: &DestinationSettings,
    batch: &Batch<'_>,
) -> Result<Vec<u8>, FramingError> {
    let arena = Arena::new();
    let budget = Budget::new(0);
    let variables = [settings_value(settings, &arena), Value::Time(batch.now)];
    let scope = scope(Value::Secret(ITEMS), &variables, &arena, &budget);
    let mut wrapper = Vec::new();
    wrap.write(&scope, OnError::DeadLetter, &mut wrapper)
        .map_err(|error| invalid(&format!("wrap: {error}")))?;
    Ok(wrapper)
}

/// The members of a JSON object as a form; values that are no text as JSON.
fn form(json: &[u8]) -> Result<Vec<u8>, FramingError> {
    let arena = Arena::new();
    let object = parse(json, ParseLimits::default(), &arena)
        .map_err(|error| invalid(&format!("form body: {error}")))?;
    let mut form = String::new();
    for (key, value) in object.entries(&arena) {
        if !form.is_empty() {
            form.push('&');
        }
        let mut text = Vec::new();
        match value.as_text(&arena) {
            Some(plain) => text.extend_from_slice(plain.as_bytes()),
            None => write(value, &mut text),
        }
        let set = percent_encoding::NON_ALPHANUMERIC;
        form.extend(percent_encoding::utf8_percent_encode(key, set));
        form.push('=');
        form.extend(percent_encoding::percent_encode(&text, set));
    }
    Ok(form.into_bytes())
}

/// Standard Webhooks 1.0: the id stays the same on every attempt at the same items.
fn sign(
    headers: &mut http::HeaderMap,
    secret: Option<&str>,
    batch: &Batch<'_>,
    body: &[u8],
) -> Result<(), FramingError> {
    let id = match batch.message_ids {
        [only] => (*only).to_owned(),
        several => Uuid::new_v5(&Uuid::NAMESPACE_OID, several.join("\n").as_bytes()).to_string(),
    };
    let seconds = batch.now.as_millis().div_euclid(1000).to_string();
    let mut put = |name: &'static str, text: &str| {
        let name = HeaderName::from_static(name);
        let value = header_value(text, &name)?;
        headers.insert(name, value);
        Ok::<_, FramingError>(())
    };
    put("webhook-id", &id)?;
    put("webhook-timestamp", &seconds)?;
    let Some(secret) = secret else { return Ok(()) };
    let key = match secret.strip_prefix("whsec_") {
        Some(encoded) => BASE64
            .decode(encoded)
            .map_err(|_| invalid("the signing secret is not valid base64 behind `whsec_`"))?,
        None => secret.as_bytes().to_vec(),
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(&key)
        .map_err(|_| invalid("the signing secret has a length that cannot be used"))?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    put(
        "webhook-signature",
        &format!("v1,{}", BASE64.encode(mac.finalize().into_bytes())),
    )
}

fn compress(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

fn header_value(text: &str, name: &HeaderName) -> Result<HeaderValue, FramingError> {
    HeaderValue::from_str(text).map_err(|_| {
        invalid(&format!(
            "the value of header `{name}` has a control character"
        ))
    })
}

fn total(batch: &Batch<'_>) -> usize {
    batch.bodies.iter().map(|body| body.len() + 1).sum()
}

fn invalid(text: &str) -> FramingError {
    FramingError::Invalid(Reason::new(ReasonClass::Mapping, text))
}
