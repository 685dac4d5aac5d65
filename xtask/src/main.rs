//! The project's own commands. `cargo xtask` lists them.
//!
//! One file in `commands/` for each command; the rest are the parts they share. Programs are started
//! through `process`, which ends them, with all that they started, when we end.

mod artifact;
mod client;
mod commands;
mod failure;
mod files;
mod git;
mod label;
mod markers;
mod process;
mod project;
mod say;
mod server;
mod stamp;
mod stop;
mod suite;
mod texts;
mod tools;

use std::process::ExitCode;

fn main() -> ExitCode {
    stop::listen();
    let args: Vec<String> = std::env::args().skip(1).collect();
    match commands::dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            match failure.reason() {
                Some(reason) => say::error(reason),
                None if stop::asked() => say::note("stopped"),
                None => (),
            }
            failure.exit_code()
        }
    }
}
