//! Settings → plan: what does not depend on an event is evaluated here, once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderName;
use http::Method;
use http::Uri;

use crate::config::settings::Auth;
use crate::config::settings::ConnectionAction;
use crate::config::settings::ConnectionSettings;
use crate::config::settings::Definition;
use crate::config::settings::DefinitionCase;
use crate::config::settings::DeliverySettings;
use crate::config::settings::DestinationSettings;
use crate::config::settings::Envelope;
use crate::config::settings::HttpSettings;
use crate::config::settings::LaneSettings;
use crate::config::settings::SecretSource;
use crate::config::settings::SettingKind;
use crate::config::settings::SettingSpec;
use crate::config::settings::SettingValue;
use crate::config::settings::Settings;
use crate::config::settings::Signature;
use crate::config::settings::SinkSettings;
use crate::config::settings::TranslationRule;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::event::Operation;
use crate::expr::Template;
use crate::expr::scope::Budget;
use crate::expr::template::Member;
use crate::expr::template::OnError;
use crate::route::forward::Forward;
use crate::route::frame::Authorization;
use crate::route::frame::HttpLane;
use crate::route::frame::Signing;
use crate::route::plan::DestinationPlan;
use crate::route::plan::Emit;
use crate::route::plan::LanePlan;
use crate::route::plan::LaneTarget;
use crate::route::plan::Plan;
use crate::route::plan::Rule;
use crate::route::plan::Translator;
use crate::route::secret::ReadSecret;
use crate::route::secret::Secrets;
use crate::route::settings::settings_value;
use crate::route::translate::scope;
use crate::text::Span;
use crate::value::Arena;
use crate::value::Value;
use crate::value::write;

impl Plan {
    /// Builds the plan of `settings`; `None` if an error was found, which is in `diagnostics`.
    pub fn build(
        settings: Arc<Settings>,
        secrets: &Arc<dyn ReadSecret>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let translator = Arc::new(Translator::build(&settings));
        let destinations: Vec<_> = settings
            .destinations
            .iter()
            .filter_map(|destination| {
                let lanes = lanes(destination, diagnostics)?;
                let secrets = Secrets::new(secrets.clone(), secret_slots(destination));
                Some(Arc::new(DestinationPlan {
                    settings: destination.clone(),
                    secrets: secrets.with_logins(logins(&lanes)),
                    lanes,
                    translator: translator.clone(),
                    connections: connections(destination, &settings),
                }))
            })
            .collect();
        let forwards = settings
            .sources
            .iter()
            .filter_map(|source| {
                let forward = source.forward.as_ref()?;
                Some(Arc::new(Forward::new(source, forward, secrets)))
            })
            .collect();
        let complete = destinations.len() == settings.destinations.len();
        complete.then_some(Self {
            settings,
            translator,
            destinations,
            forwards,
        })
    }
}

impl Translator {
    fn build(settings: &Settings) -> Self {
        let rules: Vec<_> = settings
            .translation
            .iter()
            .map(|rule| Rule::build(rule, &settings.envelope))
            .collect();
        let mut by_operation = BTreeMap::<_, Vec<_>>::new();
        for operation in Operation::ALL {
            let matching = settings.translation.iter().enumerate().filter(|(_, rule)| {
                rule.operations.is_empty() || rule.operations.contains(&operation)
            });
            by_operation.insert(operation, matching.map(|(at, _)| at).collect());
        }
        Self {
            lets: settings.envelope.lets.clone(),
            rules,
            by_operation,
        }
    }
}

impl Rule {
    fn build(rule: &TranslationRule, envelope: &Envelope) -> Self {
        let emit = rule.emit.iter().map(|emit| Emit {
            kind: emit.kind,
            when: emit.when.clone(),
            for_each: emit.for_each.clone(),
            event: with_type(
                emit.kind.name(),
                merged(&envelope.map, &emit.map),
                rule.span,
            ),
        });
        Self {
            name: rule.name.as_str().into(),
            sources: rule.sources.clone(),
            when: rule.when.clone(),
            emit: emit.collect(),
            on_error: rule.on_error,
            span: rule.span,
        }
    }
}

/// `type` comes first, whatever the rule says.
fn with_type(kind: &str, event: Template, span: Span) -> Template {
    let literal = Template::Literal(format!("\"{kind}\""));
    let mut members = vec![Member::Field {
        key: "type".into(),
        span,
        value: literal,
    }];
    if let Template::Object(others) = event {
        let is_type =
            |member: &Member| matches!(member, Member::Field { key, .. } if key == "type");
        members.extend(others.into_iter().filter(|member| !is_type(member)));
    }
    Template::Object(members)
}

/// The envelope with a map laid over it: a key of the map wins, two objects are merged.
fn merged(envelope: &Template, map: &Template) -> Template {
    let (Template::Object(under), Template::Object(over)) = (envelope, map) else {
        return map.clone();
    };
    let of_map = |wanted: &str| {
        over.iter().find_map(|member| match member {
            Member::Field { key, value, .. } if key == wanted => Some(value),
            _ => None,
        })
    };
    let mut members: Vec<Member> = under
        .iter()
        .map(|member| match member {
            Member::Field { key, span, value } => Member::Field {
                key: key.clone(),
                span: *span,
                value: of_map(key).map_or_else(|| value.clone(), |over| merged(value, over)),
            },
            Member::Spread { .. } => member.clone(),
        })
        .collect();
    let added = over.iter().filter(|member| match member {
        Member::Spread { .. } => true,
        Member::Field { key, .. } => !under
            .iter()
            .any(|member| matches!(member, Member::Field { key: under, .. } if under == key)),
    });
    members.extend(added.cloned());
    Template::Object(members)
}

impl DestinationPlan {
    /// The destination that a test of a definition is run against: every event reaches its rules,
    /// and every secret reads `***`.
    pub fn for_case(definition: &Arc<Definition>, case: &DefinitionCase) -> Self {
        let mut settings = DestinationSettings {
            id: definition.name.as_str().into(),
            definition: definition.clone(),
            values: Vec::new(),
            delivery: DeliverySettings::default(),
            on_error: OnError::default(),
            span: case.span,
        };
        for spec in &definition.settings {
            let value = match (case.settings.get(&spec.name), &spec.kind) {
                (None, _) => default_value(spec, &settings),
                (Some(_), SettingKind::Secret) => {
                    SettingValue::Secret(SecretSource::Plain("***".to_owned()))
                }
                (Some(json), _) => SettingValue::Json(json.clone()),
            };
            settings.values.push(value);
        }
        let pass = ConnectionSettings {
            name: "test".into(),
            from: None,
            to: None,
            when: None,
            action: ConnectionAction::Pass,
            on_error: None,
            span: case.span,
        };
        let connections = BTreeMap::from([(Arc::from("test"), vec![Arc::new(pass)])]);
        let nothing = Translator {
            lets: Vec::new(),
            rules: Vec::new(),
            by_operation: BTreeMap::new(),
        };
        let secrets = Secrets::new(Arc::new(NoSecrets), secret_slots(&settings));
        Self {
            settings,
            lanes: Vec::new(),
            translator: Arc::new(nothing),
            connections,
            secrets,
        }
    }
}

/// The value of a setting that is not given, from those before it.
fn default_value(spec: &SettingSpec, before: &DestinationSettings) -> SettingValue {
    let Some(default) = &spec.default else {
        return SettingValue::Missing;
    };
    let arena = Arena::new();
    let budget = Budget::new(0);
    let variables = [settings_value(before, &arena)];
    let scope = scope(Value::Missing, &variables, &arena, &budget);
    let mut json = Vec::new();
    match default.write(&scope, OnError::OmitField, &mut json) {
        Ok(true) => SettingValue::Json(String::from_utf8(json).unwrap_or_default()),
        Ok(false) | Err(_) => SettingValue::Missing,
    }
}

/// Stands where nothing is sent.
#[derive(Debug)]
struct NoSecrets;

impl ReadSecret for NoSecrets {
    fn read(&self, _: &SecretSource) -> Result<Arc<str>, String> {
        Err("tests read no secrets".to_owned())
    }
}

/// The lanes of a destination; `None` if one of them cannot be used.
fn lanes(
    destination: &DestinationSettings,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<LanePlan>> {
    let mut constants = Constants {
        destination,
        diagnostics,
    };
    let lanes = &destination.definition.lanes;
    let plans: Vec<_> = lanes
        .iter()
        .filter_map(|lane| {
            let lane = overridden(lane, destination);
            let target = constants.target(&lane)?;
            Some(LanePlan {
                settings: lane,
                target,
            })
        })
        .collect();
    (plans.len() == lanes.len()).then_some(plans)
}

/// The logins that the lanes send.
fn logins(lanes: &[LanePlan]) -> Vec<(String, String)> {
    let authorizations = lanes.iter().filter_map(|lane| match &lane.target {
        LaneTarget::Http(http) => http.authorization.as_ref(),
        LaneTarget::File(_) | LaneTarget::Stdout => None,
    });
    authorizations
        .filter_map(|authorization| match authorization {
            Authorization::Basic(user, password) => Some((user.clone(), password.clone())),
            Authorization::Bearer(_) => None,
        })
        .collect()
}

fn secret_slots(destination: &DestinationSettings) -> Vec<Option<(String, SecretSource)>> {
    let specs = destination.definition.settings.iter();
    specs
        .zip(&destination.values)
        .map(|(spec, value)| match value {
            SettingValue::Secret(source) => Some((spec.name.clone(), source.clone())),
            SettingValue::Missing | SettingValue::Json(_) => None,
        })
        .collect()
}

/// The lane with the batch limits that the destination sets instead.
fn overridden(lane: &LaneSettings, destination: &DestinationSettings) -> LaneSettings {
    let mut lane = lane.clone();
    let batch = destination.delivery.batch;
    lane.batch.items = batch.items.unwrap_or(lane.batch.items).max(1);
    lane.batch.bytes = batch.bytes.unwrap_or(lane.batch.bytes);
    lane.batch.wait = batch.wait.unwrap_or(lane.batch.wait);
    lane
}

/// For each source the connections that lead to the destination.
fn connections(
    destination: &DestinationSettings,
    settings: &Settings,
) -> BTreeMap<Arc<str>, Vec<Arc<ConnectionSettings>>> {
    let names = |list: &Option<Vec<Arc<str>>>, id: &Arc<str>| {
        list.as_ref().is_none_or(|names| names.contains(id))
    };
    let leading: Vec<_> = settings
        .connections
        .iter()
        .filter(|connection| names(&connection.to, &destination.id))
        .map(|connection| Arc::new(connection.clone()))
        .collect();
    settings
        .sources
        .iter()
        .map(|source| {
            let of_source = leading
                .iter()
                .filter(|connection| names(&connection.from, &source.id));
            (source.id.clone(), of_source.cloned().collect())
        })
        .collect()
}

/// Evaluates what depends on settings alone.
struct Constants<'a> {
    destination: &'a DestinationSettings,
    diagnostics: &'a mut Diagnostics,
}

impl Constants<'_> {
    fn target(&mut self, lane: &LaneSettings) -> Option<LaneTarget> {
        match &lane.sink {
            SinkSettings::Stdout => Some(LaneTarget::Stdout),
            SinkSettings::File(path) => {
                let path = self.text(path)?;
                if path.is_empty() {
                    return self.refuse("its file has no path");
                }
                Some(LaneTarget::File(PathBuf::from(path)))
            }
            SinkSettings::Http(http) => self
                .http(http, lane)
                .map(|lane| LaneTarget::Http(Box::new(lane))),
        }
    }

    fn http(&mut self, http: &HttpSettings, lane: &LaneSettings) -> Option<HttpLane> {
        let (method, uri) = self.request(&http.request)?;
        let authorization = match &http.auth {
            Auth::None => None,
            Auth::Bearer(token) => Some(Authorization::Bearer(self.text(token)?)),
            Auth::Basic { user, password } => {
                let password = password
                    .as_ref()
                    .map_or(Some(String::new()), |it| self.text(it))?;
                Some(Authorization::Basic(self.text(user)?, password))
            }
        };
        let signing = match &http.signature {
            None => None,
            Some(Signature::StandardWebhooks(secret)) => {
                let secret = self.text(secret)?;
                Some(Signing {
                    secret: (!secret.is_empty()).then_some(secret),
                })
            }
        };
        Some(HttpLane {
            method,
            uri,
            authorization,
            headers: self.headers(&http.headers)?,
            format: http.body.format,
            wrap: http.body.wrap.clone(),
            gzip: http.gzip,
            signing,
            responses: http.responses.clone(),
            one_by_one: lane.batch.items <= 1,
        })
    }

    fn request(&mut self, request: &Template) -> Option<(Method, Uri)> {
        let text = self.text(request)?;
        let parts = text.split_once(' ').and_then(|(method, url)| {
            let uri: Uri = url.trim().parse().ok()?;
            let whole = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
            Some((method.parse().ok()?, whole.then_some(uri)?))
        });
        match parts {
            Some(parts) => Some(parts),
            None => self.refuse(&format!(
                "`{text}` is no request: write `POST https://host/path`"
            )),
        }
    }

    fn headers(&mut self, headers: &Template) -> Option<Vec<(HeaderName, String)>> {
        self.evaluate(headers, |value, arena| {
            value
                .entries(arena)
                .map(|(name, value)| match name.parse() {
                    Ok(parsed) => Ok((parsed, marked_text(value))),
                    Err(_) => Err(format!("`{name}` is no header name")),
                })
                .collect()
        })
    }

    fn text(&mut self, template: &Template) -> Option<String> {
        self.evaluate(template, |value, _| Ok(marked_text(value)))
    }

    fn evaluate<T>(
        &mut self,
        template: &Template,
        read: impl for<'a> Fn(Value<'a>, &'a Arena) -> Result<T, String>,
    ) -> Option<T> {
        let arena = Arena::new();
        let budget = Budget::new(0);
        let variables = [settings_value(self.destination, &arena)];
        let scope = scope(Value::Missing, &variables, &arena, &budget);
        let value = template
            .build(&scope, OnError::DeadLetter)
            .map_err(|error| error.message);
        match value.and_then(|value| read(value, &arena)) {
            Ok(read) => Some(read),
            Err(why) => self.refuse(&why),
        }
    }

    fn refuse<T>(&mut self, why: &str) -> Option<T> {
        let message = format!(
            "destination `{}` cannot be used: {why}",
            self.destination.id
        );
        self.diagnostics.push(Diagnostic::error(
            Code::InvalidSetting,
            self.destination.span,
            message,
        ));
        None
    }
}

/// A text with secrets as marks; missing is empty, other values are JSON.
fn marked_text(value: Value<'_>) -> String {
    if let Value::Secret(number) = value {
        return format!("\u{1}{number}\u{1}");
    }
    value.to_text().map_or_else(
        || {
            let mut json = Vec::new();
            write(value, &mut json);
            String::from_utf8(json).unwrap_or_default()
        },
        std::borrow::Cow::into_owned,
    )
}
