//! Source positions: files as people wrote them, byte spans in them, lines and columns.
//!
//! A [`Span`] survives every stage: YAML scalar, expression, compiled node, run-time error. Whoever
//! shows it to a person looks the file up in [`Sources`] and turns the byte into a line and column.

use std::fmt;
use std::sync::Arc;

/// Names one file of a [`Sources`] set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A half-open range of bytes in one file.
///
/// Ordered by file, then by start, so sorting diagnostics gives source order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file the bytes are in.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte; equal to `start` for a place between two characters.
    pub end: u32,
}

impl Span {
    /// A span of `file`; an `end` before `start` is moved up to it.
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        Self {
            file,
            start,
            end: end.max(start),
        }
    }

    /// The smallest span that covers both; `other` must be in the same file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            file: self.file,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// A line and a column as editors count them: both start at 1, columns count Unicode scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Line, from 1.
    pub line: u32,
    /// Column in Unicode scalars, from 1.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One file: the name people know it by and its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    name: Arc<str>,
    text: Arc<str>,
    // Invariant: ascending byte offsets of line starts, the first is 0.
    line_starts: Arc<[u32]>,
}

impl SourceFile {
    /// Indexes the lines of `text`. Files over 4 GiB are refused long before, by the config limits.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(
                text.bytes()
                    .zip(1_u32..)
                    .filter(|(byte, _)| *byte == b'\n')
                    .map(|(_, next)| next),
            )
            .collect();
        Self {
            name: name.into(),
            text,
            line_starts,
        }
    }

    /// The name as given on the command line or found by an include.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line and column of a byte; a byte past the end gives the end.
    pub fn location(&self, byte: u32) -> Location {
        let line = self
            .line_starts
            .partition_point(|start| *start <= byte)
            .max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0) as usize;
        let mut end = (byte as usize).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let column = self
            .text
            .get(start..end)
            .map_or(0, |before| before.chars().count());
        Location {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }
}

/// Text decoded from a place in a file, for example an expression inside a YAML scalar, that still
/// knows where each of its bytes came from.
#[derive(Clone, Debug)]
pub struct Excerpt {
    text: Arc<str>,
    file: FileId,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    /// Byte k came from `start + k`.
    Contiguous(u32),
    /// Byte k came from the k-th entry; one more entry gives the end.
    Scattered(Arc<[u32]>),
    /// Nothing finer is known than the whole.
    Whole(Span),
}

impl Excerpt {
    /// Text that stands in the file as it is, from byte `start`.
    pub fn contiguous(text: impl Into<Arc<str>>, file: FileId, start: u32) -> Self {
        Self {
            text: text.into(),
            file,
            origin: Origin::Contiguous(start),
        }
    }

    /// Text whose byte k came from byte `origins[k]`; `origins` has one entry more, for the end.
    pub fn scattered(
        text: impl Into<Arc<str>>,
        file: FileId,
        origins: impl Into<Arc<[u32]>>,
    ) -> Self {
        Self {
            text: text.into(),
            file,
            origin: Origin::Scattered(origins.into()),
        }
    }

    /// Text of which only the place of the whole is known.
    pub fn whole(text: impl Into<Arc<str>>, span: Span) -> Self {
        Self {
            text: text.into(),
            file: span.file,
            origin: Origin::Whole(span),
        }
    }

    /// The decoded text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the decoded bytes `start..end` stand in the file.
    pub fn span(&self, start: usize, end: usize) -> Span {
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        match &self.origin {
            Origin::Whole(span) => *span,
            Origin::Contiguous(from) => Span::new(
                self.file,
                from.saturating_add(byte(start)),
                from.saturating_add(byte(end)),
            ),
            Origin::Scattered(origins) => {
                let last = origins.last().copied().unwrap_or(0);
                let of = |at: usize| origins.get(at).copied().unwrap_or(last);
                Span::new(self.file, of(start), of(end))
            }
        }
    }

    /// The text from byte `start` on, a character boundary; past the end it is empty.
    #[must_use]
    pub fn tail(&self, start: usize) -> Self {
        let start = start.min(self.text.len());
        let origin = match &self.origin {
            Origin::Whole(span) => Origin::Whole(*span),
            Origin::Contiguous(from) => {
                Origin::Contiguous(from.saturating_add(u32::try_from(start).unwrap_or(u32::MAX)))
            }
            Origin::Scattered(origins) => {
                Origin::Scattered(origins.iter().skip(start).copied().collect())
            }
        };
        Self {
            text: self.text.get(start..).unwrap_or("").into(),
            file: self.file,
            origin,
        }
    }

    /// Where all of it stands.
    pub fn whole_span(&self) -> Span {
        self.span(0, self.text.len())
    }
}

/// The files of one configuration.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// Adds a file and returns the id that spans of it carry.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(file);
        id
    }

    /// The file of an id this set gave out.
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The files in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0_u32..).map(FileId).zip(&self.files)
    }

    /// The text a span covers; empty when the span is of another set.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file)
            .and_then(|file| file.text().get(span.start as usize..span.end as usize))
            .unwrap_or("")
    }

    /// `file:line:column` of a span's start, as compilers print it.
    pub fn place(&self, span: Span) -> String {
        self.file(span.file).map_or_else(String::new, |file| {
            format!("{}:{}", file.name(), file.location(span.start))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_columns_in_characters_and_lines_from_one() {
        let file = SourceFile::new("f", "a: ü=x\nb\n");
        assert_eq!(file.location(0), Location { line: 1, column: 1 });
        assert_eq!(file.location(5), Location { line: 1, column: 5 });
        assert_eq!(file.location(8), Location { line: 2, column: 1 });
        assert_eq!(file.location(900), Location { line: 3, column: 1 });
    }

    #[test]
    fn a_byte_inside_a_character_points_at_the_character() {
        let file = SourceFile::new("f", "ü");
        assert_eq!(file.location(1), Location { line: 1, column: 1 });
    }
}
