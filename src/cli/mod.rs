//! The command line: arguments, printing, exit codes. Every doc comment on an argument is its help.

pub mod eval;
pub mod exit;
pub mod explain;
mod load;
pub mod output;
pub mod run;
pub mod test;
pub mod trace;
pub mod validate;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use clap::Subcommand;

use crate::cli::exit::Exit;
use crate::cli::output::Color;
use crate::cli::output::NoColor;
use crate::cli::output::Output;

/// A durable event gateway: Customer.io Track API in, Data Pipelines events out, routed by a YAML
/// file that you keep in git.
///
/// Start with `trackway run examples/quickstart/routing.yaml`; edit the file while it runs.
#[derive(Debug, Parser)]
#[command(name = "trackway", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 clean · 1 the configuration or a test is wrong · 3 only warnings, with \
    `--deny warnings` · 64 usage · 66 unreadable input · 70 bug in Trackway · 74 I/O"
)]
struct Arguments {
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Validate(validate::Validate),
    Test(test::Test),
    Trace(trace::Trace),
    Eval(eval::Eval),
    Explain(explain::Explain),
}

/// What a command is given besides its arguments.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Where it prints.
    pub output: Output,
    /// The environment, as it was at the start.
    pub environment: Arc<BTreeMap<String, String>>,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let environment: Arc<BTreeMap<String, String>> = Arc::new(
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
    );
    let no_color = match environment.get("NO_COLOR") {
        Some(value) if !value.is_empty() => NoColor::Set,
        _ => NoColor::Unset,
    };
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are what was asked for; everything else is a usage error.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Clean
            };
            drop(error.print());
            return exit.into();
        }
    };
    let setting = Setting {
        output: Output::new(arguments.color, no_color),
        environment,
    };
    match arguments.command {
        Command::Run(run) => run.execute(&setting),
        Command::Validate(validate) => validate.execute(&setting),
        Command::Test(test) => test.execute(&setting),
        Command::Trace(trace) => trace.execute(&setting),
        Command::Eval(eval) => eval.execute(&setting),
        Command::Explain(explain) => explain.execute(&setting),
    }
    .into()
}
