//! The program `duplex`: a node with all features.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::run(server::features::all())
}
