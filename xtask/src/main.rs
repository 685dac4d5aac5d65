//! The project's own commands. `cargo xtask` lists them.
//!
//! One file in `commands/` for each command; the rest are the parts they share. Programs are started
//! through `process`, which ends them, with all that they started, when we end.

mod args;
mod cargo;
mod client;
mod commands;
mod console;
mod failure;
mod files;
mod label;
mod markers;
mod process;
mod project;
#[cfg(test)]
mod sandbox;
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
            match failure.message() {
                Some(reason) => console::error(reason),
                None if stop::requested() => console::note("stopped"),
                None => (),
            }
            failure.exit_code()
        }
    }
}
