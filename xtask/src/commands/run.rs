//! `cargo xtask run`: builds what changed, then replaces itself with the server.

use crate::args::server_flags;
use crate::failure::Result;
use crate::{client, console, process, server};
use std::process::Command;

/// Makes development builds and starts the server with all arguments as its flags. The builds run one after the other
/// because they share what is compiled for this machine.
pub(super) fn run(args: &[String]) -> Result {
    let flags = server_flags(args);
    console::step("building the server", "about three minutes the first time, seconds after that");
    let binary = server::build_dev(None)?;
    let pages = client::build_dev()?;
    become_server(process::command(binary, "--client-files").arg(pages).args(flags))
}

/// Replaces this process, so that the server gets the signals and the terminal, and its exit code is ours.
#[cfg(unix)]
fn become_server(command: &mut Command) -> Result {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(format!("cannot start `{}`: {error}", process::command_line(command)).into())
}

#[cfg(not(unix))]
fn become_server(command: &mut Command) -> Result {
    process::run(command)
}
