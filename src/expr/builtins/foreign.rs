//! What functions are called elsewhere, for whoever types from memory.

/// The name of ours that does what `name` does in another language; `None` if nothing does.
pub fn ours_for(name: &str) -> Option<&'static str> {
    NAMES
        .iter()
        .find(|(theirs, _)| *theirs == name)
        .map(|(_, ours)| *ours)
}

const NAMES: &[(&str, &str)] = &[
    ("base64_decode", "unbase64"),
    ("base64_encode", "base64"),
    ("capitalize", "title"),
    ("coalesce", "default"),
    ("collect", "map"),
    ("decode_base64", "unbase64"),
    ("downcase", "lower"),
    ("encode_base64", "base64"),
    ("encode_json", "json"),
    ("flatten_list", "flatten"),
    ("format_timestamp", "format_time"),
    ("from_json", "parse_json"),
    ("includes", "contains"),
    ("iso_date", "date"),
    ("join_url_params", "query_string"),
    ("json_decode", "parse_json"),
    ("json_encode", "json"),
    ("last_n", "suffix"),
    ("len", "length"),
    ("lowercase", "lower"),
    ("match", "matches"),
    ("omit_keys", "omit"),
    ("parse_timestamp", "parse_time"),
    ("pick_keys", "pick"),
    ("regex_match", "matches"),
    ("rename_keys", "rename"),
    ("round_to", "round"),
    ("select", "filter"),
    ("size", "count"),
    ("snake_case", "snake"),
    ("strftime", "format_time"),
    ("strip", "trim"),
    ("substr", "substring"),
    ("to_int", "int"),
    ("to_json", "json"),
    ("to_number", "number"),
    ("to_string", "string"),
    ("to_unix_timestamp", "unix"),
    ("truncate", "prefix"),
    ("uniq", "unique"),
    ("upcase", "upper"),
    ("uppercase", "upper"),
    ("uuid4", "uuid"),
    ("where", "filter"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::builtins::find;

    #[test]
    fn every_foreign_name_leads_to_a_function() {
        for (theirs, ours) in NAMES {
            assert!(find(theirs).is_none(), "{theirs} is ours");
            assert!(find(ours).is_some(), "{ours} does not exist");
        }
        assert!(NAMES.is_sorted(), "a reader looks names up by the alphabet");
        assert_eq!(ours_for("upcase"), Some("upper"));
        assert_eq!(ours_for("md5"), None);
    }
}
