//! The value of `settings` in a destination's expressions.

use crate::config::settings::DestinationSettings;
use crate::config::settings::SettingValue;
use crate::value::Arena;
use crate::value::ParseLimits;
use crate::value::Value;
use crate::value::parse;

/// `settings` as an object; secrets are [`Value::Secret`] with the place of the setting.
pub(super) fn settings_value<'a>(
    destination: &'a DestinationSettings,
    arena: &'a Arena,
) -> Value<'a> {
    let values = (0_u16..)
        .zip(&destination.values)
        .map(|(place, value)| match value {
            SettingValue::Missing => Value::Missing,
            SettingValue::Secret(_) => Value::Secret(place),
            SettingValue::Json(json) => {
                parse(json.as_bytes(), ParseLimits::default(), arena).unwrap_or_default()
            }
        });
    let names = destination
        .definition
        .settings
        .iter()
        .map(|spec| spec.name.as_str());
    arena.object(names.zip(values))
}
