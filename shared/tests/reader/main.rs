//! The wire and the reader's rules, from outside: what must hold in any order of events, and every shape as text.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

mod connection;
mod driver;
mod feed;
mod polling;
mod simulated_log;
mod world;

/// Seeds of failures are printed, not written into the source folder. `PROPTEST_CASES` sets how many are tried.
fn proptest_config() -> proptest::prelude::ProptestConfig {
    proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() }
}
