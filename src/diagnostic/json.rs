//! Diagnostics for machines: one JSON object in one line for each.
//!
//! The members are `code`, `severity`, `message`, `title`, `file`, `line`, `column`, `end_line`,
//! `end_column`, `labels` (each with `text` and the same place members, the first being the primary
//! one) and, where there is something to do, `help` (`message`, and `patch` with `replacement` and its
//! place). Lines and columns start at 1, columns count Unicode scalars, ends are exclusive.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::diagnostic::Help;
use crate::text::Sources;
use crate::text::Span;

/// The findings in source order, each as one line of JSON without its newline.
pub fn lines(diagnostics: &Diagnostics, sources: &Sources) -> Vec<String> {
    diagnostics
        .sorted()
        .into_iter()
        .map(|found| line(found, sources))
        .collect()
}

/// One finding as one line of JSON.
pub fn line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut object = Map::new();
    object.insert("code".to_owned(), json!(diagnostic.code.to_string()));
    object.insert("severity".to_owned(), json!(diagnostic.severity.word()));
    object.insert("message".to_owned(), json!(diagnostic.message));
    object.insert("title".to_owned(), json!(diagnostic.code.title()));
    if let Some(span) = diagnostic.span() {
        object.extend(place(span, sources));
    }
    let labels = diagnostic.labels.iter().map(|label| {
        let mut object = Map::new();
        object.insert("text".to_owned(), json!(label.text));
        object.extend(place(label.span, sources));
        Value::Object(object)
    });
    object.insert("labels".to_owned(), labels.collect());
    if let Some(text) = &diagnostic.help {
        object.insert("help".to_owned(), help(text, sources));
    }
    Value::Object(object).to_string()
}

fn help(help: &Help, sources: &Sources) -> Value {
    let mut object = Map::new();
    object.insert("message".to_owned(), json!(help.message));
    if let Some(patch) = &help.patch {
        let mut of_patch = Map::new();
        of_patch.insert("replacement".to_owned(), json!(patch.replacement));
        of_patch.extend(place(patch.span, sources));
        object.insert("patch".to_owned(), Value::Object(of_patch));
    }
    Value::Object(object)
}

fn place(span: Span, sources: &Sources) -> Map<String, Value> {
    let mut place = Map::new();
    if let Some(file) = sources.file(span.file) {
        let (start, end) = (file.location(span.start), file.location(span.end));
        place.insert("file".to_owned(), json!(file.name()));
        place.insert("line".to_owned(), json!(start.line));
        place.insert("column".to_owned(), json!(start.column));
        place.insert("end_line".to_owned(), json!(end.line));
        place.insert("end_column".to_owned(), json!(end.column));
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;
    use crate::text::SourceFile;

    #[test]
    fn one_object_says_all_there_is() {
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::new("routing.yaml", "a: ü\nlistn: 1\n"));
        let key = Span::new(file, 6, 11);
        let mut diagnostics = Diagnostics::default();
        diagnostics.push(
            Diagnostic::error(Code::UnknownKey, key, "unknown key `listn`")
                .here("not a key of `server`")
                .fix("did you mean `listen`?", key, "listen"),
        );
        insta::assert_snapshot!(lines(&diagnostics, &sources).join("\n"), @r#"{"code":"TW0005","severity":"error","message":"unknown key `listn`","title":"unknown key","file":"routing.yaml","line":2,"column":1,"end_line":2,"end_column":6,"labels":[{"text":"not a key of `server`","file":"routing.yaml","line":2,"column":1,"end_line":2,"end_column":6}],"help":{"message":"did you mean `listen`?","patch":{"replacement":"listen","file":"routing.yaml","line":2,"column":1,"end_line":2,"end_column":6}}}"#);
    }

    #[test]
    fn what_has_no_place_has_no_place_members() {
        let diagnostic = Diagnostic::global(Code::Unreadable, "cannot read `x`");
        let line = line(&diagnostic, &Sources::default());
        assert!(!line.contains("\"line\""), "{line}");
    }
}
