//! `cargo xtask run`: build what changed, then become the server.

use super::for_the_server;
use crate::failure::{Failure, Result};
use crate::label::{CLIENT, SERVER};
use crate::{client, process, server, stop};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

/// All words are flags for the server.
pub(super) fn run(args: &[String]) -> Result {
    let flags = for_the_server(args);
    let (pages, binary) = build()?;
    become_server(process::program(binary, "--pages").arg(pages).args(flags))
}

/// Builds the client's pages and the server's binary, side by side: the client's optimiser works for a minute on one
/// core. A half that fails ends the other, or its reason would scroll away.
fn build() -> Result<(PathBuf, PathBuf)> {
    let half = |built: Result<PathBuf>| built.inspect_err(|_| stop::ask());
    let client = thread::spawn(move || half(client::build(Some(CLIENT))));
    let binary = half(server::build_dev(Some(SERVER)));
    let pages = client.join().unwrap_or_else(|_| Err("building the client ended in a panic".into()));
    match (pages, binary) {
        (Ok(_), Ok(_)) if stop::asked() => Err(Failure::Interrupted),
        (Ok(pages), Ok(binary)) => Ok((pages, binary)),
        // Of two ends the one with a reason, which the other follows.
        (Err(Failure::Interrupted), Err(failure)) | (Err(failure), _) | (_, Err(failure)) => Err(failure),
    }
}

/// The server takes our place, and with it our signals, our terminal and our exit code.
#[cfg(unix)]
fn become_server(command: &mut Command) -> Result {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(format!("cannot start `{}`: {error}", process::shown(command)).into())
}

#[cfg(not(unix))]
fn become_server(command: &mut Command) -> Result {
    process::run(command)
}
