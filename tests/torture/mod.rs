//! A machine that fails: its disk crashes, lies and is full of errors, its clock leaps, its processes stand still.
//!
//! After each of it nothing that was acknowledged is lost, nothing is there twice, the log has no hole, and the node
//! starts again by itself. At every push a few of these cases are tried; with `DUPLEX_TORTURE=long`, all. `DUPLEX_SEED`
//! decides what is left to chance.

mod author;
mod clock;
mod crashes;
mod disk;
mod io_errors;
mod pauses;
mod power_cuts;
mod stage;
mod write_cache;

/// True if every case is to be tried, however long it takes.
fn is_long() -> bool {
    std::env::var("DUPLEX_TORTURE").is_ok_and(|length| length == "long")
}

/// The seed of all that is left to chance.
fn seed() -> u64 {
    std::env::var("DUPLEX_SEED").map_or(1, |text| text.parse().expect("a whole number"))
}
