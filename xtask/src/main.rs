//! Developer commands of the project; `cargo xtask` lists them.
//!
//! Each command is a file or folder in `commands/`; the other modules are what they share. Every program is started
//! through `process`, which stops it and everything it started when xtask ends.

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
                Some(message) => console::error(message),
                None if stop::requested() => console::note("stopped"),
                None => (),
            }
            failure.exit_code()
        }
    }
}
