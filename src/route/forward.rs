//! The original calls of a source to the real Track API, with the credentials they came with.
//!
//! A request goes out once, with the first of its records; the others of a batch settle with it.
//! The journal holds the site id, never the key: a credential that was removed from the source
//! pauses its forward instead of losing calls.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::HeaderValue;
use http::Request;
use http::Uri;
use http::header;

use crate::config::settings::ForwardSettings;
use crate::config::settings::SourceSettings;
use crate::event::Record;
use crate::event::delivery::Answer;
use crate::event::delivery::Batch;
use crate::event::delivery::Frame;
use crate::event::delivery::FramingError;
use crate::event::delivery::Item;
use crate::event::delivery::Judge;
use crate::event::delivery::Judgement;
use crate::event::delivery::LaneId;
use crate::event::delivery::Outcome;
use crate::event::delivery::Part;
use crate::event::delivery::Reason;
use crate::event::delivery::ReasonClass;
use crate::event::delivery::Rendered;
use crate::event::delivery::Translate;
use crate::route::judge::reason;
use crate::route::judge::usual;
use crate::route::render::order_key;
use crate::route::secret::ReadSecret;
use crate::route::secret::Secrets;
use crate::value::Arena;
use crate::value::ParseLimits;
use crate::value::parse;
use crate::value::write_text;

/// The forward of one source; delivered like a destination named `forward:SOURCE`.
#[derive(Debug)]
pub struct Forward {
    /// `forward:SOURCE`.
    pub id: Arc<str>,
    /// The source.
    pub source: SourceSettings,
    /// Where to and how.
    pub settings: ForwardSettings,
    secrets: Secrets,
}

impl Forward {
    pub(super) fn new(
        source: &SourceSettings,
        settings: &ForwardSettings,
        reader: &Arc<dyn ReadSecret>,
    ) -> Self {
        let slots: Vec<_> = source
            .credentials
            .iter()
            .map(|credential| {
                let setting = format!("api_key of site id {}", credential.site_id);
                Some((setting, credential.api_key.clone()))
            })
            .collect();
        let logins = source
            .credentials
            .iter()
            .zip(0..)
            .map(|(credential, place)| {
                (credential.site_id.to_string(), format!("\u{1}{place}\u{1}"))
            });
        let logins = logins.collect();
        Self {
            id: format!("forward:{}", source.id).into(),
            source: source.clone(),
            settings: settings.clone(),
            secrets: Secrets::new(reader.clone(), slots).with_logins(logins),
        }
    }

    fn authorization(&self, site_id: &str) -> Result<HeaderValue, FramingError> {
        let gone = || FramingError::SecretUnavailable {
            setting: format!("api_key of site id {site_id}"),
            cause: format!(
                "the source `{}` no longer has this credential",
                self.source.id
            ),
        };
        let credentials = &self.source.credentials;
        let place = credentials
            .iter()
            .position(|credential| &*credential.site_id == site_id)
            .ok_or_else(gone)?;
        let key = self.secrets.fill_text(&format!("\u{1}{place}\u{1}"))?;
        let pair = BASE64.encode(format!("{site_id}:{key}"));
        let mut value = HeaderValue::from_str(&format!("Basic {pair}")).map_err(|_| gone())?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl Translate for Forward {
    fn translate(&self, record: &Record<'_>, arena: &mut Arena, rendered: &mut Rendered) {
        rendered.clear();
        arena.reset();
        let request = &record.request;
        if request.source != &*self.source.id || 0 < record.ordinal {
            return;
        }
        let text = &mut rendered.text;
        let mut digits = [0; ulid::ULID_LEN];
        text.extend_from_slice(request.id.array_to_str(&mut digits).as_bytes());
        let id_end = text.len();
        text.push(b'[');
        for (n, field) in [
            Some(request.method),
            Some(request.target),
            request.content_type,
            request.site_id,
        ]
        .into_iter()
        .enumerate()
        {
            if 0 < n {
                text.push(b',');
            }
            write_text(field.unwrap_or(""), text);
        }
        text.push(b',');
        put_body(record, text);
        text.push(b']');
        let narrow = |n| u32::try_from(n).unwrap_or(u32::MAX);
        let person = record.params.id.map(|id| order_key(request.source, id));
        rendered.items.push(Item {
            part: Part::default(),
            lane: LaneId(0),
            keys: [person, None],
            message_id: 0..narrow(id_end),
            body: narrow(id_end)..narrow(rendered.text.len()),
        });
    }
}

/// The body as the client sent it; that of a batch is put together from the accepted items.
fn put_body(record: &Record<'_>, text: &mut Vec<u8>) {
    if record.item.is_none() {
        text.extend_from_slice(record.body);
        return;
    }
    text.extend_from_slice(b"{\"batch\":[");
    for (n, record) in record.request.records().flatten().enumerate() {
        if 0 < n {
            text.push(b',');
        }
        text.extend_from_slice(record.body);
    }
    text.extend_from_slice(b"]}");
}

impl Frame for Forward {
    fn frame(&self, batch: &Batch<'_>) -> Result<crate::event::delivery::Outgoing, FramingError> {
        let invalid =
            |text: &str| FramingError::Invalid(Reason::new(ReasonClass::Mapping, text.to_owned()));
        let arena = Arena::new();
        let item = batch.bodies.first().copied().unwrap_or(b"[]");
        let item = parse(
            item,
            ParseLimits {
                depth_max: 66,
                ..ParseLimits::default()
            },
            &arena,
        )
        .map_err(|error| invalid(&error.to_string()))?;
        let field = |at| item.at(at).as_text(&arena).unwrap_or("");
        let (method, target, content_type, site_id) = (field(0), field(1), field(2), field(3));
        let base = self.settings.url.to_string();
        let uri: Uri = format!("{}{target}", base.trim_end_matches('/'))
            .parse()
            .map_err(|_| invalid("the request target cannot be sent on"))?;
        let body = match item.at(4) {
            crate::value::Value::Json(node) => Bytes::copy_from_slice(node.raw().as_bytes()),
            _ => Bytes::new(),
        };
        let mut request = Request::new(body);
        *request.method_mut() = method
            .parse()
            .map_err(|_| invalid("the request method cannot be sent on"))?;
        *request.uri_mut() = uri;
        let content_type = HeaderValue::from_str(content_type)
            .ok()
            .filter(|value| !value.is_empty() && value != "application/x-www-form-urlencoded")
            .unwrap_or(HeaderValue::from_static("application/json"));
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
        if !site_id.is_empty() {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, self.authorization(site_id)?);
        }
        Ok(crate::event::delivery::Outgoing::Http(request))
    }
}

impl Judge for Forward {
    fn judge(&self, _batch: &Batch<'_>, answer: &Answer<'_>) -> Judgement {
        if answer.status == http::StatusCode::MULTI_STATUS {
            // The items that are not listed were taken; the listed ones never will be.
            let reason = reason(ReasonClass::Refused, answer, &self.secrets);
            return Judgement::All(Outcome::Reject(reason));
        }
        usual(answer, &self.secrets)
    }
}
