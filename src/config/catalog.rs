//! The catalogue that is part of the program: the translation and the types of destinations. The
//! files use nothing that a file of yours could not.

/// The text of the translation.
pub const TRANSLATION: &str = include_str!("../../catalog/translation.yaml");

/// The names and texts of the destination definitions, by name.
pub const DEFINITIONS: [(&str, &str); 5] = [
    (
        "customerio_pipelines",
        include_str!("../../catalog/customerio_pipelines.yaml"),
    ),
    ("file", include_str!("../../catalog/file.yaml")),
    ("mixpanel", include_str!("../../catalog/mixpanel.yaml")),
    ("stdout", include_str!("../../catalog/stdout.yaml")),
    ("webhook", include_str!("../../catalog/webhook.yaml")),
];

/// The text of a definition.
pub fn definition(name: &str) -> Option<&'static str> {
    DEFINITIONS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// The names of the definitions.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    DEFINITIONS.iter().map(|(name, _)| *name)
}
