//! A machine that fails: its disk crashes, lies and returns errors, its clock jumps, its processes are suspended.
//!
//! After each failure, nothing that was acknowledged is lost, no event is there twice, the log has no gap, and the node
//! starts again by itself. Every push runs a few of these cases; `DUPLEX_TORTURE=long` runs all. `DUPLEX_SEED` sets the
//! seed of random choices.

mod author;
mod clock;
mod crashes;
mod disk;
mod fixture;
mod io_errors;
mod pauses;
mod power_cuts;
mod write_cache;

use crate::support::env::number_of;

/// Returns true if every case should run, however long it takes.
fn is_long() -> bool {
    std::env::var("DUPLEX_TORTURE").is_ok_and(|length| length == "long")
}

/// Returns the seed of random choices.
fn seed() -> u64 {
    number_of("DUPLEX_SEED").unwrap_or(1)
}
