//! A machine that fails: its disk crashes, lies and is full of errors, its clock leaps, its processes stand still.
//!
//! After each of it nothing that was acknowledged is lost, nothing is there twice, the log has no hole, and the node
//! starts again by itself. At every push a few of these cases are tried, chosen by `DUPLEX_SEED`. `DUPLEX_CRASHES=all`
//! tries a crash at every step, `DUPLEX_POWER_CUTS` says how often the power fails.

mod author;
mod clock;
mod crashes;
mod disk;
mod io_errors;
mod pauses;
mod power_cuts;
mod stage;
mod write_cache;

/// A variable of the environment that holds a whole number.
fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a whole number"))
}

/// The seed of all that is left to chance.
fn seed() -> u64 {
    number("DUPLEX_SEED", 1)
}
