//! `cargo xtask build`: one file that runs anywhere, with the client inside.

use super::flags;
use crate::client::{self, budget};
use crate::failure::Result;
use crate::{say, server};

/// `--accept-size` makes the client's present size the one it is held to; `--otel` builds a server that sends traces.
pub(super) fn run(args: &[String]) -> Result {
    let given = flags(args, &["--accept-size", "--otel"])?;
    let accept = given.contains(&"--accept-size");
    let features: &[&str] = if given.contains(&"--otel") { &["otel"] } else { &[] };
    let client = client::build()?;
    let bytes = budget::measure(&client)?;
    if accept {
        budget::accept(bytes)?;
        say::note(&format!("client/size-budget is now {bytes} bytes"));
    }
    let binary = server::build_release(&client, features)?;
    let size = binary.metadata().map_or(0, |found| found.len());
    let (whole, tenths) = (size / 1_000_000, size / 100_000 % 10);
    println!("{} ({whole}.{tenths} MB, {bytes} bytes of client on a first visit)", binary.display());
    Ok(())
}
