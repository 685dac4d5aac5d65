//! `cargo xtask build`: builds one self-contained release binary with the client inside.

use crate::args::parse_flags;
use crate::client::{self, budget, cost};
use crate::failure::Result;
use crate::{console, server};

/// Builds the client and the server; `--otel` adds export of traces.
pub(super) fn run(args: &[String]) -> Result {
    let features: &[&str] = if parse_flags(args, &["--otel"])?.is_empty() { &[] } else { &["otel"] };
    let client = client::build()?;
    let client_bytes = budget::measure(&client)?;
    console::note(&cost::last_report()?);
    let binary = server::build_release(&client, features)?;
    let bytes = binary.metadata().map_or(0, |metadata| metadata.len());
    let megabytes = bytes / 1_000_000;
    let tenths = bytes / 100_000 % 10;
    println!("{} ({megabytes}.{tenths} MB; a first visit downloads {client_bytes} bytes)", binary.display());
    Ok(())
}
