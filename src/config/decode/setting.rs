//! The settings of a destination type: what a definition declares, and the values given for it.

use crate::config::decode::Cx;
use crate::config::decode::Fields;
use crate::config::decode::behind_sigil;
use crate::config::decode::scalar;
use crate::config::settings::SettingKind;
use crate::config::settings::SettingSpec;
use crate::config::settings::SettingValue;
use crate::config::vocabulary;
use crate::config::vocabulary::SettingNames;
use crate::config::yaml::Data;
use crate::config::yaml::Entry;
use crate::config::yaml::Node;
use crate::config::yaml::Provenance;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::suggest;
use crate::expr::Scope;
use crate::expr::Template;
use crate::expr::scope::Budget;
use crate::expr::template::OnError;
use crate::text::Span;
use crate::value;
use crate::value::Arena;
use crate::value::ParseLimits;
use crate::value::Value;

/// `settings` of a definition.
pub(super) fn specs(node: &Node, cx: &mut Cx<'_>) -> Vec<SettingSpec> {
    let Data::Map(entries) = &node.data else {
        cx.wrong_type::<()>(node, "a mapping of settings");
        return Vec::new();
    };
    let mut specs: Vec<SettingSpec> = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Some(spec) = spec(entry, &specs, cx) {
            specs.push(spec);
        }
    }
    specs
}

fn spec(entry: &Entry, before: &[SettingSpec], cx: &mut Cx<'_>) -> Option<SettingSpec> {
    cx.is_identifier(&entry.key, entry.key_span);
    let mut fields = Fields::open(&entry.value, entry.key_span, "a setting", cx)?;
    let kind = kind(&mut fields, cx);
    let required = fields
        .take("required")
        .and_then(|node| cx.flag(node))
        .unwrap_or(false);
    let default = fields.take("default");
    let about = fields
        .take("about")
        .and_then(|node| cx.text(node))
        .unwrap_or_default();
    fields.close(cx);
    let default = match default {
        Some(node) => Some(default_of(node, kind.as_ref(), before, cx)?),
        None => None,
    };
    Some(SettingSpec {
        name: entry.key.clone(),
        kind: kind?,
        required,
        default,
        about,
    })
}

fn kind(fields: &mut Fields<'_>, cx: &mut Cx<'_>) -> Option<SettingKind> {
    const KINDS: [&str; 9] = [
        "string", "secret", "url", "path", "enum", "int", "bool", "list", "map",
    ];
    let values = fields.take("values");
    let node = fields.require("type", cx)?;
    let words = KINDS.map(|kind| (kind, kind));
    let word = cx.word(node, &words)?;
    if let (Some(values), true) = (values, word != "enum") {
        let message = "only a setting of type `enum` has `values`";
        return cx.refuse(Code::InvalidDefinition, values.head(), message);
    }
    Some(match word {
        "secret" => SettingKind::Secret,
        "url" => SettingKind::Url,
        "path" => SettingKind::Path,
        "int" => SettingKind::Int,
        "bool" => SettingKind::Bool,
        "list" => SettingKind::Texts,
        "map" => SettingKind::Map,
        "enum" => {
            let Some(values) = values else {
                let message = "a setting of type `enum` needs `values`";
                return cx.refuse(Code::InvalidDefinition, fields.owner(), message);
            };
            SettingKind::Enum(cx.texts(values)?)
        }
        _ => SettingKind::Text,
    })
}

/// A default is a value of the setting's kind, or an expression over the settings before it.
fn default_of(
    node: &Node,
    kind: Option<&SettingKind>,
    before: &[SettingSpec],
    cx: &mut Cx<'_>,
) -> Option<Template> {
    if node.text().and_then(behind_sigil).is_some() {
        let vocabulary = vocabulary::settings(&cx.tables, &names_of(before));
        return cx.template(node, &vocabulary);
    }
    match value(node, kind?, cx)? {
        SettingValue::Json(json) => Some(Template::Literal(json)),
        SettingValue::Missing => None,
        SettingValue::Secret(_) => cx.refuse(
            Code::InvalidDefinition,
            node.span,
            "a secret has no default",
        ),
    }
}

/// The names that expressions can use of `specs`.
pub(super) fn names_of(specs: &[SettingSpec]) -> SettingNames {
    let name = |spec: &SettingSpec| spec.name.clone();
    let secrets = specs.iter().filter(|spec| spec.kind == SettingKind::Secret);
    SettingNames {
        all: specs.iter().map(name).collect(),
        secrets: secrets.map(name).collect(),
    }
}

/// The values of `specs` as given in `node`, with defaults filled in, in the order of the specs.
pub(super) fn values(
    specs: &[SettingSpec],
    node: Option<&Node>,
    owner: Span,
    cx: &mut Cx<'_>,
) -> Option<Vec<SettingValue>> {
    let entries: &[Entry] = match node.map(|node| &node.data) {
        Some(Data::Map(entries)) => entries,
        Some(Data::Null) | None => &[],
        Some(_) => return node.and_then(|node| cx.wrong_type(node, "a mapping of settings")),
    };
    refuse_unknown(specs, entries, cx);
    let mut values = Vec::with_capacity(specs.len());
    let mut complete = true;
    for spec in specs {
        let given = entries.iter().find(|entry| entry.key == spec.name);
        let value = match given {
            Some(entry) => value(&entry.value, &spec.kind, cx),
            None => default_value(spec, specs, &values, (owner, cx)),
        };
        complete = complete && value.is_some();
        values.push(value.unwrap_or(SettingValue::Missing));
    }
    complete.then_some(values)
}

fn refuse_unknown(specs: &[SettingSpec], entries: &[Entry], cx: &mut Cx<'_>) {
    let names = || specs.iter().map(|spec| spec.name.as_str());
    for entry in entries
        .iter()
        .filter(|entry| names().all(|name| name != entry.key))
    {
        let message = format!("unknown setting `{}`", entry.key);
        let diagnostic = Diagnostic::error(Code::UnknownSetting, entry.key_span, message);
        cx.diagnostics
            .push(match suggest::nearest(&entry.key, names()) {
                Some(near) => {
                    diagnostic.fix(format!("did you mean `{near}`?"), entry.key_span, near)
                }
                None if specs.is_empty() => {
                    diagnostic.help("this type of destination has no settings")
                }
                None => diagnostic.help(format!("its settings are {}", suggest::list(names()))),
            });
    }
}

fn default_value(
    spec: &SettingSpec,
    specs: &[SettingSpec],
    before: &[SettingValue],
    (owner, cx): (Span, &mut Cx<'_>),
) -> Option<SettingValue> {
    let value = match &spec.default {
        None => SettingValue::Missing,
        Some(Template::Literal(json)) => SettingValue::Json(json.clone()),
        Some(template) => match evaluated(template, specs, before) {
            Ok(Some(json)) => SettingValue::Json(json),
            Ok(None) => SettingValue::Missing,
            Err(why) => {
                let message = format!("setting `{}` has no default here: {why}", spec.name);
                return cx.refuse(Code::InvalidSetting, owner, message);
            }
        },
    };
    if spec.required && value == SettingValue::Missing {
        let message = format!("setting `{}` must be given", spec.name);
        let diagnostic = Diagnostic::error(Code::MissingSetting, owner, message);
        cx.diagnostics.push(if spec.about.is_empty() {
            diagnostic
        } else {
            diagnostic.help(format!("about it: {}", spec.about))
        });
        return None;
    }
    Some(value)
}

/// What a default comes to with the settings before it.
fn evaluated(
    template: &Template,
    specs: &[SettingSpec],
    before: &[SettingValue],
) -> Result<Option<String>, String> {
    let arena = Arena::new();
    let budget = Budget::new(0);
    let members = (0_u16..)
        .zip(specs)
        .zip(before)
        .map(|((place, spec), value)| {
            let value = match value {
                SettingValue::Missing => Value::Missing,
                SettingValue::Secret(_) => Value::Secret(place),
                SettingValue::Json(json) => {
                    value::parse(json.as_bytes(), ParseLimits::default(), &arena)
                        .unwrap_or_default()
                }
            };
            (spec.name.as_str(), value)
        });
    let variables = [arena.object(members)];
    let scope = Scope {
        root: Value::Missing,
        item: Value::Missing,
        index: Value::Missing,
        variables: &variables,
        arena: &arena,
        budget: &budget,
    };
    let mut json = Vec::new();
    let found = template
        .write(&scope, OnError::DeadLetter, &mut json)
        .map_err(|error| error.message)?;
    Ok(found.then(|| String::from_utf8(json).unwrap_or_default()))
}

/// One value of a kind.
pub(super) fn value(node: &Node, kind: &SettingKind, cx: &mut Cx<'_>) -> Option<SettingValue> {
    let json = match kind {
        SettingKind::Secret => return cx.secret(node).map(SettingValue::Secret),
        _ if node.provenance == Provenance::Unset => placeholder(node, kind),
        SettingKind::Text => text_json(&cx.text(node)?),
        SettingKind::Url => {
            let text = cx.text(node)?;
            match scalar::url(&text) {
                Ok(_) => {}
                Err(_) if node.provenance == Provenance::Environment => {
                    return cx.wrong_environment(node, "a URL");
                }
                Err(why) => return cx.refuse(Code::InvalidSetting, node.span, why),
            }
            text_json(text.trim_end_matches('/'))
        }
        SettingKind::Path => text_json(&cx.path(node)?.to_string_lossy()),
        SettingKind::Enum(words) => {
            let text = cx.text(node)?;
            if !words.contains(&text) {
                return not_a_word(node, &text, words, cx);
            }
            text_json(&text)
        }
        SettingKind::Int => match (&node.data, node.provenance) {
            (Data::Number(text), _) if text.parse::<i64>().is_ok() => text.clone(),
            (Data::Text(text), Provenance::Environment) => {
                let Ok(number) = text.text().parse::<i64>() else {
                    return cx.wrong_environment(node, "a whole number");
                };
                number.to_string()
            }
            _ => return cx.wrong_type(node, "a whole number"),
        },
        SettingKind::Bool => cx.flag(node)?.to_string(),
        SettingKind::Texts => {
            let Data::List(items) = &node.data else {
                return cx.wrong_type(node, "a list of texts");
            };
            let texts: Vec<_> = items.iter().map(|item| cx.text(item)).collect();
            let texts: Vec<_> = texts
                .into_iter()
                .map(|text| text.map(|text| text_json(&text)))
                .collect::<Option<_>>()?;
            format!("[{}]", texts.join(","))
        }
        SettingKind::Map => map_json(node, cx)?,
    };
    Some(SettingValue::Json(json))
}

fn map_json(node: &Node, cx: &mut Cx<'_>) -> Option<String> {
    let Data::Map(entries) = &node.data else {
        return cx.wrong_type(node, "a mapping of texts");
    };
    let members: Vec<_> = entries
        .iter()
        .map(|entry| {
            let text = cx.text(&entry.value)?;
            Some(format!("{}:{}", text_json(&entry.key), text_json(&text)))
        })
        .collect();
    let members: Vec<_> = members.into_iter().collect::<Option<_>>()?;
    Some(format!("{{{}}}", members.join(",")))
}

/// What stands in for a value from a variable that is not set, where that is only a warning.
fn placeholder(node: &Node, kind: &SettingKind) -> String {
    match kind {
        SettingKind::Url => text_json("https://unset.invalid"),
        SettingKind::Enum(words) => text_json(words.first().map_or("", String::as_str)),
        SettingKind::Int => "0".to_owned(),
        SettingKind::Bool => "false".to_owned(),
        SettingKind::Texts => "[]".to_owned(),
        SettingKind::Map => "{}".to_owned(),
        SettingKind::Text | SettingKind::Path | SettingKind::Secret => {
            text_json(node.text().map_or("", |text| text.text()))
        }
    }
}

fn not_a_word<T>(node: &Node, found: &str, words: &[String], cx: &mut Cx<'_>) -> Option<T> {
    let names = || words.iter().map(String::as_str);
    let wanted = format!("one of {}", suggest::list(names()));
    if node.provenance == Provenance::Environment {
        return cx.wrong_environment(node, &wanted);
    }
    let message = format!("`{found}` is not {wanted}");
    let diagnostic = Diagnostic::error(Code::InvalidSetting, node.span, message);
    cx.diagnostics.push(match suggest::nearest(found, names()) {
        Some(near) => diagnostic.fix(format!("did you mean `{near}`?"), node.span, near),
        None => diagnostic,
    });
    None
}

fn text_json(text: &str) -> String {
    let mut json = Vec::new();
    value::write_text(text, &mut json);
    String::from_utf8(json).unwrap_or_default()
}
