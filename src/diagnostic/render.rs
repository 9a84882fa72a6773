//! Diagnostics for people: the text with what is wrong underlined, and the edit that helps.

use annotate_snippets::AnnotationKind;
use annotate_snippets::Group;
use annotate_snippets::Level;
use annotate_snippets::Patch;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;

use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::diagnostic::Help;
use crate::diagnostic::Severity;
use crate::text::SourceFile;
use crate::text::Sources;
use crate::text::Span;

/// How it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Text alone, for files, logs and pipes.
    #[default]
    Plain,
    /// With terminal colours.
    Colored,
}

/// Most findings shown in full: nobody reads more before mending the first.
pub const SHOWN_MAX: usize = 100;

/// The findings in source order, the first [`SHOWN_MAX`] of them, and a last line that counts all;
/// empty when there are none.
pub fn render(diagnostics: &Diagnostics, sources: &Sources, style: Style) -> String {
    let mut text = String::new();
    let sorted = diagnostics.sorted();
    for diagnostic in sorted.iter().take(SHOWN_MAX) {
        text.push_str(&render_one(diagnostic, sources, style));
        text.push_str("\n\n");
    }
    if let Some(more) = sorted.len().checked_sub(SHOWN_MAX).filter(|more| 0 < *more) {
        text.push_str(&more.to_string());
        text.push_str(" more not shown\n\n");
    }
    if !text.is_empty() {
        text.push_str(&summary(diagnostics));
        text.push('\n');
    }
    text
}

/// One finding, without a newline at the end.
pub fn render_one(diagnostic: &Diagnostic, sources: &Sources, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.to_string());
    let mut problem = Group::with_title(title);
    for span in files_of(diagnostic) {
        if let Some(file) = sources.file(span.file) {
            problem = problem.element(annotated(diagnostic, span, file));
        }
    }
    let mut groups = vec![problem];
    if let Some(help) = &diagnostic.help {
        groups = with_help(groups, help, sources);
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colored => Renderer::styled(),
    };
    let text = renderer.render(&groups);
    // Padding at line ends is noise in files and snapshots.
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

/// `2 errors, 1 warning`.
pub fn summary(diagnostics: &Diagnostics) -> String {
    let counted = [Severity::Error, Severity::Warning].map(|severity| {
        let count = diagnostics.count(severity);
        let plural = if count == 1 { "" } else { "s" };
        (count, format!("{count} {}{plural}", severity.word()))
    });
    let parts: Vec<_> = counted
        .into_iter()
        .filter(|(count, _)| 0 < *count)
        .map(|(_, text)| text)
        .collect();
    parts.join(", ")
}

/// A label of each file that has one, in the order of the labels.
fn files_of(diagnostic: &Diagnostic) -> Vec<Span> {
    let mut files: Vec<Span> = Vec::new();
    for label in &diagnostic.labels {
        if files.iter().all(|span| span.file != label.span.file) {
            files.push(label.span);
        }
    }
    files
}

fn annotated<'a>(
    diagnostic: &'a Diagnostic,
    of: Span,
    file: &'a SourceFile,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let labels = diagnostic.labels.iter().enumerate();
    let annotations = labels
        .filter(|(_, label)| label.span.file == of.file)
        .map(|(nth, label)| {
            let kind = if nth == 0 {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let annotation = kind.span(range(label.span, file));
            if label.text.is_empty() {
                annotation
            } else {
                annotation.label(label.text.as_str())
            }
        });
    Snippet::source(file.text())
        .path(file.name())
        .annotations(annotations)
}

fn with_help<'a>(
    mut groups: Vec<Group<'a>>,
    help: &'a Help,
    sources: &'a Sources,
) -> Vec<Group<'a>> {
    let patch = help
        .patch
        .as_ref()
        .and_then(|patch| sources.file(patch.span.file).map(|file| (patch, file)));
    if let Some((patch, file)) = patch {
        let edit = Patch::new(range(patch.span, file), patch.replacement.as_str());
        let snippet = Snippet::source(file.text()).path(file.name()).patch(edit);
        let title = Level::HELP.secondary_title(help.message.as_str());
        groups.push(Group::with_title(title).element(snippet));
    } else if let Some(problem) = groups.pop() {
        let message = Level::HELP.message(help.message.as_str());
        groups.push(problem.element(message));
    }
    groups
}

/// The bytes of a span, within the text and on character boundaries.
fn range(span: Span, file: &SourceFile) -> std::ops::Range<usize> {
    let text = file.text();
    let boundary = |at: u32| {
        let mut at = (at as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    boundary(span.start)..boundary(span.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    fn fixture() -> (Sources, Diagnostics) {
        let mut sources = Sources::default();
        let main = sources.add(SourceFile::new(
            "routing.yaml",
            "server:\n  listn: \"ü\" # x\n",
        ));
        let part = sources.add(SourceFile::new("sources/web.yaml", "sources: {web: {}}\n"));
        let mut diagnostics = Diagnostics::default();
        diagnostics.push(
            Diagnostic::warning(
                Code::PlainSecret,
                Span::new(main, 17, 21),
                "the secret is in clear",
            )
            .help("keep it in the environment"),
        );
        diagnostics.push(
            Diagnostic::error(
                Code::UnknownKey,
                Span::new(main, 10, 15),
                "unknown key `listn`",
            )
            .here("not a key of `server`")
            .also(Span::new(part, 10, 13), "and this is elsewhere")
            .fix("did you mean `listen`?", Span::new(main, 10, 15), "listen"),
        );
        diagnostics.push(Diagnostic::global(
            Code::Unreadable,
            "cannot read `x.yaml`: not found",
        ));
        (sources, diagnostics)
    }

    #[test]
    fn shows_places_and_patches_in_source_order() {
        let (sources, diagnostics) = fixture();
        insta::assert_snapshot!(render(&diagnostics, &sources, Style::Plain), @r#"
        error[TW0002]: cannot read `x.yaml`: not found

        error[TW0005]: unknown key `listn`
         --> routing.yaml:2:3
          |
        2 |   listn: "ü" # x
          |   ^^^^^ not a key of `server`
          |
         ::: sources/web.yaml:1:11
          |
        1 | sources: {web: {}}
          |           --- and this is elsewhere
          |
        help: did you mean `listen`?
          |
        2 |   listen: "ü" # x
          |       +

        warning[TW0507]: the secret is in clear
         --> routing.yaml:2:10
          |
        2 |   listn: "ü" # x
          |          ^^^
          |
          = help: keep it in the environment

        2 errors, 1 warning
        "#);
    }

    #[test]
    fn colours_only_when_asked() {
        let (sources, diagnostics) = fixture();
        assert!(!render(&diagnostics, &sources, Style::Plain).contains('\u{1b}'));
        assert!(render(&diagnostics, &sources, Style::Colored).contains('\u{1b}'));
    }

    #[test]
    fn a_span_beyond_the_text_or_inside_a_character_is_moved_to_a_boundary() {
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::new("f", "ü"));
        for span in [
            Span::new(file, 1, 1),
            Span::new(file, 1, 99),
            Span::new(file, 99, 99),
        ] {
            let diagnostic = Diagnostic::error(Code::YamlSyntax, span, "x");
            assert!(render_one(&diagnostic, &sources, Style::Plain).contains("f:1:"));
        }
    }

    #[test]
    fn shows_a_hundred_findings_and_counts_the_rest() {
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::new("f", "x".repeat(SHOWN_MAX + 1)));
        let mut diagnostics = Diagnostics::default();
        let found = |at| Diagnostic::error(Code::YamlSyntax, Span::new(file, at, at), "x");
        (0..100).for_each(|at| diagnostics.push(found(at)));
        assert!(!render(&diagnostics, &sources, Style::Plain).contains("not shown"));
        diagnostics.push(found(100));
        let text = render(&diagnostics, &sources, Style::Plain);
        assert!(text.ends_with("1 more not shown\n\n101 errors\n"), "{text}");
    }

    #[test]
    fn nothing_found_renders_as_nothing() {
        assert_eq!(
            render(&Diagnostics::default(), &Sources::default(), Style::Plain),
            ""
        );
    }
}
