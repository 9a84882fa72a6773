//! Files to a plan: the one path that `validate`, `test`, `run` and every reload take.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::config;
use crate::config::Unset;
use crate::config::settings::Settings;
use crate::config::settings::TestPolicy;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Diagnostics;
use crate::diagnostic::json;
use crate::diagnostic::render;
use crate::diagnostic::render::Style;
use crate::route::Plan;
use crate::route::secret::ReadSecret;
use crate::server::cases;
use crate::server::cases::CaseOutcome;
use crate::server::files::ContentHash;
use crate::server::files::DiskFiles;
use crate::server::secrets::SecretStore;
use crate::text::Sources;

/// What a configuration is read with.
#[derive(Clone, Debug)]
pub struct Environment {
    variables: Arc<BTreeMap<String, String>>,
    unset: Unset,
}

impl Environment {
    /// For running: a variable that is not set is an error.
    pub const fn new(variables: Arc<BTreeMap<String, String>>) -> Self {
        Self {
            variables,
            unset: Unset::Error,
        }
    }

    /// For checking: a variable that is not set is a warning, and a placeholder stands in.
    pub const fn offline(variables: Arc<BTreeMap<String, String>>) -> Self {
        Self {
            variables,
            unset: Unset::Warning,
        }
    }
}

/// A configuration as read; good or not.
#[derive(Debug)]
pub struct Candidate {
    /// The texts that findings point into.
    pub sources: Sources,
    /// Everything that was found.
    pub diagnostics: Diagnostics,
    /// What the files held.
    pub hash: ContentHash,
    /// The files, and what else was looked for.
    pub files: Arc<DiskFiles>,
    plan: Option<Arc<Plan>>,
    definition: Option<Arc<config::settings::Definition>>,
}

/// A configuration that may go live.
#[derive(Debug)]
pub struct Accepted {
    /// How events are routed.
    pub plan: Arc<Plan>,
    /// What the files held.
    pub hash: ContentHash,
    /// The files, and what else was looked for.
    pub files: Arc<DiskFiles>,
    /// What is worth a look, as people read it; empty if nothing is.
    pub warnings: String,
}

/// Reads the configuration whose main file is `path`.
pub fn read(path: &Path, environment: &Environment) -> Candidate {
    // A set of files that changes while it is read would be a mix of two; a repository being
    // updated settles soon.
    const TRIES: u32 = 10;
    let mut candidate = read_once(path, environment);
    for _ in 1..TRIES {
        if candidate.files.hash_now() == candidate.hash {
            break;
        }
        candidate = read_once(path, environment);
    }
    candidate
}

fn read_once(path: &Path, environment: &Environment) -> Candidate {
    let files = Arc::new(DiskFiles::default());
    let variables = config::Environment {
        variables: &environment.variables,
        unset: environment.unset,
    };
    let loaded = config::load(path, &*files, variables);
    let mut diagnostics = loaded.diagnostics;
    let secrets: Arc<dyn ReadSecret> = Arc::new(SecretStore::new(environment.variables.clone()));
    let plan = loaded
        .settings
        .and_then(|settings| Plan::build(Arc::new(settings), &secrets, &mut diagnostics));
    Candidate {
        sources: loaded.sources,
        diagnostics,
        hash: files.hash(),
        files,
        plan: plan.map(Arc::new),
        definition: loaded.definition,
    }
}

impl Candidate {
    /// Stands for a configuration that could not even be read.
    pub fn broken(cause: &str) -> Self {
        let mut diagnostics = Diagnostics::default();
        diagnostics.push(Diagnostic::global(Code::Unreadable, cause));
        let files = Arc::new(DiskFiles::default());
        let hash = files.hash();
        Self {
            sources: Sources::default(),
            diagnostics,
            hash,
            files,
            plan: None,
            definition: None,
        }
    }

    /// Whether the main file could not be read at all.
    pub fn is_unreadable(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|finding| finding.code == Code::Unreadable)
    }

    /// Whether the file looks as if somebody were still writing it.
    pub fn is_half_written(&self) -> bool {
        let halves = [
            Code::YamlSyntax,
            Code::EmptyFile,
            Code::NotUtf8,
            Code::Unreadable,
        ];
        self.diagnostics
            .iter()
            .any(|finding| halves.contains(&finding.code))
    }

    /// The plan, if there is no error.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan
            .as_ref()
            .filter(|_| !self.diagnostics.has_errors())
    }

    /// The settings, if there is no error.
    pub fn settings(&self) -> Option<&Settings> {
        self.plan().map(|plan| &*plan.settings)
    }

    /// Runs the tests whose name is selected: those of routing.yaml, or of a definition.
    pub fn run_cases(&self, selected: impl Fn(&str) -> bool) -> Vec<CaseOutcome> {
        let of_definition = self.definition.iter().flat_map(|definition| {
            let cases = definition.cases.iter().filter(|case| selected(&case.name));
            cases.map(|case| cases::run_definition(definition, case))
        });
        let of_plan = self.plan().into_iter().flat_map(|plan| {
            let cases = plan
                .settings
                .cases
                .iter()
                .filter(|case| selected(&case.name));
            cases.map(|case| cases::run(plan, case))
        });
        of_definition.chain(of_plan).collect()
    }

    /// The configuration if it may go live: no error, and its tests pass or need not.
    ///
    /// # Errors
    ///
    /// The findings, for people and for machines.
    pub fn accept(mut self) -> Result<Accepted, (String, Vec<String>)> {
        if let Some(plan) = self.plan().cloned() {
            let policy = plan.settings.reload.tests;
            if policy != TestPolicy::Off {
                for outcome in self.run_cases(|_| true) {
                    for mut finding in outcome.diagnostics() {
                        if policy == TestPolicy::Warn {
                            finding.severity = crate::diagnostic::Severity::Warning;
                        }
                        self.diagnostics.push(finding);
                    }
                }
            }
        }
        match self.plan().cloned() {
            Some(plan) => Ok(Accepted {
                plan,
                hash: self.hash,
                files: self.files.clone(),
                warnings: self.text(Style::Plain),
            }),
            None => Err((self.text(Style::Plain), self.json())),
        }
    }

    /// The findings for people; empty if there are none.
    pub fn text(&self, style: Style) -> String {
        if self.diagnostics.is_empty() {
            return String::new();
        }
        render::render(&self.diagnostics, &self.sources, style)
    }

    /// The findings for machines, one JSON object each.
    pub fn json(&self) -> Vec<String> {
        json::lines(&self.diagnostics, &self.sources)
    }
}
