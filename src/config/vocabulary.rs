//! Which names an expression can use where. The order is the contract between `config`, which
//! compiles against it, and `route`, which gives the values.

use crate::config::settings::Tables;
use crate::expr::Kinds;
use crate::expr::Variable;
use crate::expr::Vocabulary;
use crate::value::Kind;

const TEXT: Kinds = Kinds::of(Kind::Text);
const INT: Kinds = Kinds::of(Kind::Int);
const OBJECT: Kinds = Kinds::of(Kind::Object);
const TIME: Kinds = Kinds::of(Kind::Time);

type Names = &'static [(&'static str, Kinds, &'static str)];

/// What every rule about a call or an event can use.
pub const CALL: Names = &[
    (
        "op",
        TEXT,
        "the operation of the call, such as `person.event`",
    ),
    (
        "api",
        TEXT,
        "the version of the Track API the call came through, `v1` or `v2`",
    ),
    ("source", TEXT, "the source, by its key in routing.yaml"),
    (
        "params",
        OBJECT,
        "what stood in the path and query: id, device_id, segment_id, id_type, form_id, delivery_id",
    ),
    ("now", TIME, "when the call was accepted"),
];

/// What translation can use besides [`CALL`]; the names of `let:` follow.
pub const TRANSLATION: Names = &[
    (
        "record",
        TEXT,
        "the id given to the call at accept, with `-N` for the item of a batch",
    ),
    (
        "part",
        INT,
        "the number of the event among those of its call, from 0",
    ),
    ("parts", INT, "how many events the call becomes"),
];

/// What connections can use besides [`CALL`].
pub const CONNECTION: Names = &[("message_id", TEXT, "the message id of the event")];

/// What the rules of a destination can use besides [`CALL`] and [`CONNECTION`].
pub const DESTINATION: Names = &[(
    "settings",
    OBJECT,
    "the settings of the destination, such as `settings.region`",
)];

/// What a lane's response rules can use besides `settings`.
pub const RESPONSE: Names = &[("status", INT, "the status of the answer")];

/// What a lane's `wrap` can use besides `settings`.
pub const WRAP: Names = &[("now", TIME, "when the request is made")];

/// What `params` can have.
const PARAMS: [&str; 6] = [
    "id",
    "device_id",
    "segment_id",
    "id_type",
    "form_id",
    "delivery_id",
];

/// The settings of a definition, by name.
#[derive(Clone, Debug, Default)]
pub struct SettingNames {
    /// All of them.
    pub all: Vec<String>,
    /// Those whose values are secrets.
    pub secrets: Vec<String>,
}

impl SettingNames {
    fn add_to(&self, mut vocabulary: Vocabulary) -> Vocabulary {
        let settings = ("settings".to_owned(), self.all.clone());
        vocabulary.members.extend([settings]);
        Vocabulary {
            secrets: self.secrets.clone(),
            ..vocabulary
        }
    }
}

fn vocabulary(names: &[Names], root: Option<&str>, tables: &Tables) -> Vocabulary {
    let variables = names
        .iter()
        .flat_map(|names| names.iter())
        .map(|(name, kinds, about)| Variable {
            name: (*name).to_owned(),
            kinds: *kinds,
            about: (*about).to_owned(),
        })
        .collect();
    Vocabulary {
        variables,
        root: root.map(str::to_owned),
        item: None,
        tables: tables.clone(),
        members: [("params".to_owned(), PARAMS.map(str::to_owned).to_vec())].into(),
        secrets: Vec::new(),
    }
}

/// For `translate:` and the envelope.
pub fn translation(tables: &Tables) -> Vocabulary {
    vocabulary(&[CALL, TRANSLATION], Some("the body of the call"), tables)
}

/// For `connections:`.
pub fn connection(tables: &Tables) -> Vocabulary {
    vocabulary(&[CALL, CONNECTION], Some("the event"), tables)
}

/// For the rules of a destination definition.
pub fn destination(tables: &Tables, settings: &SettingNames) -> Vocabulary {
    let names = [CALL, CONNECTION, DESTINATION];
    settings.add_to(vocabulary(&names, Some("the event"), tables))
}

/// For what depends on settings alone: defaults, `request`, `auth`, `headers`, file paths.
pub fn settings(tables: &Tables, settings: &SettingNames) -> Vocabulary {
    settings.add_to(vocabulary(&[DESTINATION], None, tables))
}

/// For `wrap`; `$`, the list of rendered items, may only stand as a whole value.
pub fn wrap(tables: &Tables, settings: &SettingNames) -> Vocabulary {
    let root = Some("the list of items");
    settings.add_to(vocabulary(&[DESTINATION, WRAP], root, tables))
}

/// For the response rules of a lane.
pub fn response(tables: &Tables, settings: &SettingNames) -> Vocabulary {
    let root = Some("the body of the answer");
    settings.add_to(vocabulary(&[DESTINATION, RESPONSE], root, tables))
}

/// For what a test expects: `@` is the value found.
pub fn expectation(tables: &Tables) -> Vocabulary {
    with_item(vocabulary(&[], None, tables), "the value found")
}

/// The same names, inside a loop.
pub fn with_item(mut vocabulary: Vocabulary, item: &str) -> Vocabulary {
    vocabulary.item = Some(item.to_owned());
    vocabulary
}
