//! What a document means, as `serde_yaml` reads it: types without places.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;

/// A value and its type. Unlike `serde_yaml::Value` it keeps a key that stands twice, so that one
/// such key does not hide everything else there is to say about a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Typed {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, printed.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Keys and values.
    Map(Vec<(Self, Self)>),
}

/// Reads a text that holds one document.
pub(super) fn read(text: &str) -> Result<Typed, serde_yaml::Error> {
    serde_yaml::from_str(text)
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyYaml)
    }
}

struct AnyYaml;

impl<'de> Visitor<'de> for AnyYaml {
    type Value = Typed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Typed, E> {
        Ok(Typed::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Typed, E> {
        Ok(Typed::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Typed, E> {
        Ok(Typed::Number(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Typed, E> {
        Ok(Typed::Number(value.to_string()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Typed, E> {
        Ok(Typed::Number(value.to_string()))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Typed, E> {
        Ok(Typed::Number(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Typed, E> {
        Ok(Typed::Number(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Typed, E> {
        Ok(Typed::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Typed, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Typed::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Typed, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Typed::Map(map))
    }
}
