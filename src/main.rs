//! The `trackway` program: hands over to `cli` and exits with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    trackway::cli::main()
}
