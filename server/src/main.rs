//! The program `duplex`: a node with all features.
//!
//! The features belong to the program and not to the library: nothing of the core can name one, and a change of one
//! compiles in a second or two.

mod features;

use std::process::ExitCode;

fn main() -> ExitCode {
    server::run(features::all())
}
