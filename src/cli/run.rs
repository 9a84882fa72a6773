//! `trackway run`: the life of the gateway, from the first file to the last byte.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tracing_subscriber::EnvFilter;

use crate::cli::Setting;
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::clock::Clock;
use crate::server;
use crate::server::RunError;
use crate::server::secrets::SecretStore;

/// Runs the gateway.
///
/// Reads routing.yaml, runs its tests, listens, and reloads when a file changes. A save that is
/// wrong changes nothing: the log shows the mistake and the active configuration keeps serving.
/// SIGHUP reloads, SIGTERM and Ctrl-C stop: requests are finished and checkpoints written first.
#[derive(Args, Debug)]
pub struct Run {
    /// The configuration.
    #[arg(default_value = "routing.yaml")]
    config: PathBuf,
    /// What is logged: `error`, `warn`, `info`, `debug`, or a `tracing` filter.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: String,
    /// How it is logged; `auto` is `human` on a terminal and `json` otherwise.
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    log_format: LogFormat,
}

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    Auto,
    Human,
    Json,
}

impl Run {
    /// Runs the command.
    pub fn execute(&self, setting: &Setting) -> Exit {
        let filter = match self.log.parse::<EnvFilter>() {
            Ok(filter) => filter,
            Err(error) => {
                setting
                    .output
                    .note(&format!("error: `--log {}`: {error}", self.log));
                return Exit::Usage;
            }
        };
        self.start_log(filter, setting);
        let candidate = load::read_for_running(&self.config, setting);
        let accepted = match load::accepted(candidate, setting) {
            Ok(accepted) => accepted,
            Err(exit) => return exit,
        };
        let runtime = match tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            Err(error) => {
                setting
                    .output
                    .note(&format!("error: cannot start: {error}"));
                return Exit::Io;
            }
        };
        let environment = server::configuration::Environment::new(setting.environment.clone());
        let secrets = Arc::new(SecretStore::new(setting.environment.clone()));
        let running = server::run(
            accepted,
            (self.config.clone(), environment),
            secrets,
            Clock::system(),
            |banner| setting.output.note(banner),
        );
        let ended = runtime.block_on(running);
        // Everything that matters is on disk; a reader of standard output that has stalled must not
        // keep the process.
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        match ended {
            Ok(()) => Exit::Clean,
            Err(error) => {
                setting.output.note(&format!("error: {error}"));
                match error {
                    RunError::Configuration(_) => Exit::Findings,
                    RunError::Io(_) => Exit::Io,
                }
            }
        }
    }

    fn start_log(&self, filter: EnvFilter, setting: &Setting) {
        use std::io::IsTerminal as _;
        let human = match self.log_format {
            LogFormat::Human => true,
            LogFormat::Json => false,
            LogFormat::Auto => std::io::stderr().is_terminal(),
        };
        let builder = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_target(false);
        // A second start in one process keeps the first log.
        let started = if human {
            builder
                .with_ansi(setting.output.colors_notes())
                .compact()
                .try_init()
        } else {
            builder.json().flatten_event(true).try_init()
        };
        drop(started);
    }
}
