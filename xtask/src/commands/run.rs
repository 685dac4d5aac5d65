//! `cargo xtask run`: build what changed, then become the server.

use crate::args::server_flags;
use crate::failure::Result;
use crate::{client, process, server};
use std::process::Command;

/// All words are flags for the server. Both halves are development builds, as for `dev`: one after the other, since
/// they share what is compiled for this machine.
pub(super) fn run(args: &[String]) -> Result {
    let flags = server_flags(args);
    let binary = server::build_dev()?;
    let pages = client::build_dev()?;
    become_server(process::command(binary, "--pages").arg(pages).args(flags))
}

/// The server takes our place, and with it our signals, our terminal and our exit code.
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
