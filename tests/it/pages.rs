//! The pages of the diagnostic codes hold: each failing example has exactly that finding at exactly
//! that place, each repaired one has none. Their form is described in docs/diagnostics/README.md.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use trackway::config::vocabulary;
use trackway::diagnostic::Code;
use trackway::diagnostic::Diagnostic;
use trackway::diagnostic::Diagnostics;
use trackway::expr::Program;
use trackway::expr::Scope;
use trackway::expr::Table;
use trackway::expr::scope::Budget;
use trackway::server::configuration::Environment;
use trackway::server::configuration::read;
use trackway::text::Excerpt;
use trackway::text::SourceFile;
use trackway::text::Sources;
use trackway::value::Arena;
use trackway::value::ParseLimits;
use trackway::value::Value;
use trackway::value::parse;

/// Logged by a running gateway, about two versions of a file: no single text has them.
const LOGGED: [Code; 2] = [Code::ReloadRejected, Code::NeedsRestart];

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let files = fs::read_dir(directory()).unwrap();
    let files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<_> = files.filter(|name| name != "README.md").collect();
    let codes: BTreeSet<_> = Code::ALL.iter().map(|code| format!("{code}.md")).collect();
    assert_eq!(files, codes);
    for code in Code::ALL {
        let page = code.page();
        assert_eq!(
            page.lines().next(),
            Some(format!("# {code}: {}", code.title()).as_str())
        );
        for heading in ["\n## Why it matters\n", "\n## Example\n", "\n## Repair\n"] {
            assert_eq!(page.matches(heading).count(), 1, "{code}: {heading}");
        }
    }
}

#[test]
fn every_failing_example_fails_as_its_page_says_and_every_repaired_one_is_clean() {
    let faults: Vec<String> = Code::ALL.iter().flat_map(|code| faults(*code)).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// What does not hold of a page.
fn faults(code: Code) -> Vec<String> {
    let page = Page::read(code.page());
    let mut faults = Vec::new();
    let fails = page.examples.iter().filter(|example| example.fails).count();
    if (fails == 0) != LOGGED.contains(&code) || fails == page.examples.len() {
        faults.push(format!(
            "{code}: needs examples that fail and that work, has {fails} of {}",
            page.examples.len()
        ));
    }
    for example in &page.examples {
        let found = page.run(example, code);
        let shown: Vec<_> = found.iter().map(Finding::to_string).collect();
        let expected: Vec<String> = match (&example.at, example.fails) {
            (Some(at), true) => vec![format!("{code} at {at}")],
            (None, true) => vec![format!("{code}")],
            (_, false) => Vec::new(),
        };
        if shown != expected {
            let details: Vec<_> = found.iter().map(|finding| &finding.message).collect();
            faults.push(format!(
                "{code}: expected {expected:?}, found {shown:?}\n    {details:?}\n{}",
                example.text
            ));
        }
    }
    faults
}

/// What is checked of a page.
#[derive(Default)]
struct Page {
    examples: Vec<Example>,
    /// Files beside routing.yaml, by path.
    files: BTreeMap<String, String>,
    /// What expressions are about.
    document: Option<String>,
}

struct Example {
    kind: Kind,
    fails: bool,
    latin1: bool,
    /// `LINE:COLUMN`, from the line below the block.
    at: Option<String>,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Yaml,
    Expression,
}

impl Page {
    fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(info) = line.strip_prefix("```") else {
                continue;
            };
            let block = lines.by_ref().take_while(|line| *line != "```");
            let block: String = block.flat_map(|line| [line, "\n"]).collect();
            let words: Vec<_> = info.split(' ').collect();
            let kind = match words.first() {
                Some(&"yaml") => Kind::Yaml,
                Some(&"trackway") => Kind::Expression,
                Some(&"json") => {
                    page.document = Some(block);
                    continue;
                }
                _ => continue,
            };
            if let Some(path) = words.iter().find(|word| word.contains(".yaml")) {
                page.files.insert((*path).to_owned(), block);
                continue;
            }
            while lines.next_if_eq(&"").is_some() {}
            let at = lines.peek().and_then(|line| line.strip_prefix("at: "));
            let fails = words.contains(&"fails");
            assert!(fails != words.contains(&"works"), "{info}: fails or works?");
            page.examples.push(Example {
                kind,
                fails,
                latin1: words.contains(&"latin1"),
                at: at.map(|at| at.split(',').next().unwrap_or(at).to_owned()),
                text: block,
            });
        }
        page
    }

    fn run(&self, example: &Example, code: Code) -> Vec<Finding> {
        match example.kind {
            Kind::Yaml => self.load(example, code),
            Kind::Expression => self.evaluate(example.text.trim_end()),
        }
    }

    /// Loads a file as `run` does, in an empty environment, and runs its tests.
    fn load(&self, example: &Example, code: Code) -> Vec<Finding> {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in &self.files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let main = dir.path().join("routing.yaml");
        fs::write(&main, example.bytes()).unwrap();
        let candidate = read(&main, &Environment::new(Arc::default()));
        let mut found = candidate.diagnostics.clone();
        for outcome in candidate.run_cases(|_| true) {
            outcome
                .diagnostics()
                .for_each(|finding| found.push(finding));
        }
        let found = found.sorted();
        let found = found
            .into_iter()
            .map(|it| Finding::of(it, &candidate.sources));
        found.map(|finding| finding.seen_by_test(code)).collect()
    }

    /// Compiles what a connection could hold, and evaluates it if the page has a document.
    fn evaluate(&self, text: &str) -> Vec<Finding> {
        let rows = [("1", "\"free\""), ("2", "\"pro\"")];
        let rows = rows.map(|(key, json)| (key.to_owned(), json.to_owned()));
        let plans = Table { rows: rows.into() };
        let tables = Arc::new(BTreeMap::from([("plans".to_owned(), plans)]));
        let vocabulary = vocabulary::connection(&tables);
        let mut sources = Sources::default();
        let file = sources.add(SourceFile::new("expression", text));
        let excerpt = Excerpt::contiguous(text, file, 0);
        let mut diagnostics = Diagnostics::default();
        let program = Program::compile(&excerpt, &vocabulary, &mut diagnostics);
        let mut found: Vec<_> = diagnostics
            .sorted()
            .into_iter()
            .map(|it| Finding::of(it, &sources))
            .collect();
        if let (Some(program), Some(document)) = (program, &self.document) {
            let arena = Arena::new();
            let budget = Budget::new(0);
            let limits = ParseLimits::default();
            let variables = vec![Value::Missing; vocabulary.variables.len()];
            let scope = Scope {
                root: parse(document.as_bytes(), limits, &arena).unwrap(),
                item: Value::Missing,
                index: Value::Missing,
                variables: &variables,
                arena: &arena,
                budget: &budget,
            };
            if let Err(error) = program.eval(&scope) {
                let error = Diagnostic::error(error.code, error.span, error.message);
                found.push(Finding::of(&error, &sources));
            }
        }
        found
    }
}

impl Example {
    fn bytes(&self) -> Vec<u8> {
        if self.latin1 {
            let byte = |char: char| u8::try_from(u32::from(char)).unwrap();
            return self.text.chars().map(byte).collect();
        }
        self.text.clone().into_bytes()
    }
}

struct Finding {
    code: String,
    at: String,
    message: String,
    labels: Vec<String>,
}

impl Finding {
    fn of(diagnostic: &Diagnostic, sources: &Sources) -> Self {
        let at = diagnostic.span().map_or_else(String::new, |span| {
            let file = sources.file(span.file).unwrap();
            file.location(span.start).to_string()
        });
        Self {
            code: diagnostic.code.to_string(),
            at,
            message: diagnostic.message.clone(),
            labels: diagnostic
                .labels
                .iter()
                .map(|label| label.text.clone())
                .collect(),
        }
    }

    /// What fails at run time shows in a configuration as a test that failed because of it.
    fn seen_by_test(mut self, code: Code) -> Self {
        let wanted = code.to_string();
        if self.code == Code::TestFailed.to_string()
            && self.labels.iter().any(|label| label.contains(&wanted))
        {
            self.code = wanted;
        }
        self
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.code, self.at)
    }
}

fn directory() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diagnostics")
}
