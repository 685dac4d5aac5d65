//! The project's own commands. `cargo xtask` lists them.
//!
//! One file in `commands/` for each command; the rest are the parts they share. Programs are started
//! through `process`, which ends them, with all that they started, when we end.

mod args;
mod cargo;
mod client;
mod commands;
mod failure;
mod files;
mod label;
mod markers;
mod process;
mod project;
#[cfg(test)]
mod sandbox;
mod say;
mod server;
mod source_tree;
mod stamp;
mod stop;
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
