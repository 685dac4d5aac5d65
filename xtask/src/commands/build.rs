//! `cargo xtask build`: one file that runs anywhere, with the client inside.

use crate::args::parse_flags;
use crate::client::{self, budget, cost};
use crate::failure::Result;
use crate::{console, server};

/// `--otel` builds a server that sends traces.
pub(super) fn run(args: &[String]) -> Result {
    let features: &[&str] = if parse_flags(args, &["--otel"])?.is_empty() { &[] } else { &["otel"] };
    let client = client::build()?;
    let bytes = budget::measure(&client)?;
    console::note(&cost::last_report()?);
    let binary = server::build_release(&client, features)?;
    let size = binary.metadata().map_or(0, |found| found.len());
    let (whole, tenths) = (size / 1_000_000, size / 100_000 % 10);
    println!("{} ({whole}.{tenths} MB, {bytes} bytes of client on a first visit)", binary.display());
    Ok(())
}
