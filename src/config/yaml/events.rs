//! Where everything in a document stands, as `granit-parser` reads it: places and styles without types.

use std::collections::BTreeMap;

use granit_parser::Event;
use granit_parser::Parser;
use granit_parser::ScalarStyle;
use granit_parser::StructureStyle;
use granit_parser::Tag;

use crate::config::yaml::ALIAS_NODES_MAX;
use crate::config::yaml::DEPTH_MAX;
use crate::config::yaml::NODES_MAX;
use crate::config::yaml::syntax;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::text::FileId;
use crate::text::Span;

/// A node as it stands in the text.
#[derive(Debug)]
pub(super) struct Raw {
    /// First byte; of a block scalar, of its first line behind the indentation.
    pub(super) start: u32,
    /// One past its last byte.
    pub(super) end: u32,
    /// Its number if it has an anchor, else 0.
    pub(super) anchor: usize,
    /// What it is.
    pub(super) kind: RawKind,
}

/// What a raw node is.
#[derive(Debug)]
pub(super) enum RawKind {
    /// A scalar.
    Scalar(RawScalar),
    /// A list.
    List(Vec<Raw>, Notation),
    /// Keys and values in the order of the text.
    Map(Vec<(Raw, Raw)>, Notation),
    /// Another node, by its anchor's number.
    Alias(usize),
}

/// A scalar as it stands in the text.
#[derive(Debug)]
pub(super) struct RawScalar {
    /// The decoded text.
    pub(super) text: String,
    /// How it is written.
    pub(super) style: ScalarStyle,
    /// Columns of indentation that are not part of a block scalar.
    pub(super) indent: usize,
}

/// Block notation, or flow notation with brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    /// By indentation.
    Block,
    /// With `[…]` or `{…}`.
    Flow,
}

impl From<StructureStyle> for Notation {
    fn from(style: StructureStyle) -> Self {
        match style {
            StructureStyle::Block => Self::Block,
            StructureStyle::Flow => Self::Flow,
        }
    }
}

/// Reads the one document of a text, within the limits.
pub(super) fn read(file: FileId, text: &str, diagnostics: &mut Diagnostics) -> Option<Raw> {
    let options = granit_parser::options! {
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: 2 * DEPTH_MAX,
        block_nesting_limit: 2 * DEPTH_MAX,
    };
    let mut reader = Reader {
        file,
        open: Vec::new(),
        root: None,
        documents: 0,
        spent: Spent::default(),
        anchors: BTreeMap::new(),
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => reader.event(event, span),
            Err(error) => {
                let flow = reader
                    .open
                    .iter()
                    .any(|open| open.notation == Notation::Flow);
                let notation = if flow {
                    Notation::Flow
                } else {
                    Notation::Block
                };
                Err(Box::new(syntax::scan_error(file, text, &error, notation)))
            }
        };
        if let Err(diagnostic) = step {
            diagnostics.push(*diagnostic);
            return None;
        }
    }
    if reader.root.is_none() {
        let message = "the file has no content";
        diagnostics.push(
            Diagnostic::error(Code::EmptyFile, Span::new(file, 0, 0), message)
                .help("a configuration starts with `trackway: 1`"),
        );
    }
    reader.root
}

struct Reader {
    file: FileId,
    open: Vec<Open>,
    root: Option<Raw>,
    documents: u32,
    spent: Spent,
    // Size and height of what each anchor names, known once it is complete.
    anchors: BTreeMap<usize, Extent>,
}

#[derive(Default)]
struct Spent {
    nodes: usize,
    alias_nodes: usize,
}

/// How much a node holds.
#[derive(Clone, Copy)]
struct Extent {
    nodes: usize,
    height: usize,
}

/// Whether children are items, or keys and values in turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    List,
    Map,
}

/// A list or mapping whose end has not been read.
struct Open {
    start: u32,
    anchor: usize,
    notation: Notation,
    shape: Shape,
    children: Vec<Raw>,
    extent: Extent,
}

type Step = Result<(), Box<Diagnostic>>;

impl Reader {
    fn event(&mut self, event: Event<'_>, span: granit_parser::Span) -> Step {
        let range = span.byte_range().unwrap_or_default();
        let (start, end) = (narrow(range.start), narrow(range.end));
        let place = Span::new(self.file, start, end);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if 1 < self.documents {
                    let message = "a second document starts here, and a configuration is one";
                    return refuse(
                        Diagnostic::error(Code::YamlSyntax, place, message)
                            .help("move it to a file of its own and name that in `include`"),
                    );
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &span, place)?;
                let indent = span.indent.unwrap_or(0);
                let scalar = RawScalar {
                    text: text.into_owned(),
                    style,
                    indent,
                };
                let raw = Raw {
                    start,
                    end,
                    anchor,
                    kind: RawKind::Scalar(scalar),
                };
                return self.add(
                    raw,
                    Extent {
                        nodes: 1,
                        height: 0,
                    },
                );
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &span, place)?;
                return self.open(start, anchor, style.into(), Shape::List);
            }
            Event::MappingStart(style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), &span, place)?;
                return self.open(start, anchor, style.into(), Shape::Map);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(end),
            Event::Alias(target) => {
                let Some(extent) = self.anchors.get(&target).copied() else {
                    let message = "an alias cannot stand inside what it names";
                    return refuse(Diagnostic::error(Code::YamlSyntax, place, message));
                };
                self.spent.alias_nodes = self.spent.alias_nodes.saturating_add(extent.nodes);
                if ALIAS_NODES_MAX < self.spent.alias_nodes {
                    let message = format!("aliases add more than {ALIAS_NODES_MAX} values");
                    return refuse(Diagnostic::error(Code::ConfigTooLarge, place, message));
                }
                return self.add(
                    Raw {
                        start,
                        end,
                        anchor: 0,
                        kind: RawKind::Alias(target),
                    },
                    extent,
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn refuse_tag(&self, tag: Option<&Tag>, span: &granit_parser::Span, place: Span) -> Step {
        if tag.is_none() {
            return Ok(());
        }
        let tag = span
            .tag_span()
            .and_then(|tag| tag.byte_range())
            .unwrap_or_default();
        let tag = Span::new(self.file, narrow(tag.start), narrow(tag.end));
        let tag = if tag.start < tag.end { tag } else { place };
        refuse(
            Diagnostic::error(Code::YamlSyntax, tag, "YAML tags are not supported")
                .help("take the tag away; text that looks like a number is written in quotes"),
        )
    }

    fn open(&mut self, start: u32, anchor: usize, notation: Notation, shape: Shape) -> Step {
        let extent = Extent {
            nodes: 1,
            height: 1,
        };
        self.open.push(Open {
            start,
            anchor,
            notation,
            shape,
            children: Vec::new(),
            extent,
        });
        self.check_depth(0, start)
    }

    fn check_depth(&self, height: usize, start: u32) -> Step {
        if self.open.len() + height <= DEPTH_MAX {
            return Ok(());
        }
        let place = Span::new(self.file, start, start);
        let message = format!("nested deeper than {DEPTH_MAX} levels");
        refuse(
            Diagnostic::error(Code::ConfigTooLarge, place, message)
                .help("no key of a configuration is that deep; check the brackets"),
        )
    }

    fn close(&mut self, end: u32) -> Step {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let Open {
            start,
            anchor,
            notation,
            shape,
            children,
            extent,
        } = open;
        // The end of a block is noticed at the next token, which may be lines below.
        let (start, end) = match (notation, children.first(), children.last()) {
            (Notation::Block, Some(first), Some(last)) => (first.start, last.end),
            _ => (start, end),
        };
        let kind = match shape {
            Shape::Map => RawKind::Map(in_pairs(children), notation),
            Shape::List => RawKind::List(children, notation),
        };
        self.add(
            Raw {
                start,
                end,
                anchor,
                kind,
            },
            extent,
        )
    }

    fn add(&mut self, raw: Raw, extent: Extent) -> Step {
        let nodes = if matches!(raw.kind, RawKind::Alias(_)) {
            extent.nodes
        } else {
            1
        };
        self.spent.nodes = self.spent.nodes.saturating_add(nodes);
        if NODES_MAX < self.spent.nodes {
            let place = Span::new(self.file, raw.start, raw.end);
            let message = format!("the file holds more than {NODES_MAX} values");
            return refuse(Diagnostic::error(Code::ConfigTooLarge, place, message));
        }
        self.check_depth(extent.height, raw.start)?;
        if raw.anchor != 0 {
            self.anchors.insert(raw.anchor, extent);
        }
        match self.open.last_mut() {
            Some(parent) => {
                parent.extent.nodes = parent.extent.nodes.saturating_add(extent.nodes);
                parent.extent.height = parent.extent.height.max(extent.height + 1);
                parent.children.push(raw);
            }
            None => self.root = Some(raw),
        }
        Ok(())
    }
}

fn in_pairs(children: Vec<Raw>) -> Vec<(Raw, Raw)> {
    let mut pairs = Vec::with_capacity(children.len() / 2);
    let mut children = children.into_iter();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        pairs.push((key, value));
    }
    pairs
}

fn refuse(diagnostic: Diagnostic) -> Step {
    Err(Box::new(diagnostic))
}

/// A file is limited far below 4 GiB.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
