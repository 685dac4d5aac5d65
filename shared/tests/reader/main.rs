//! Tests of the reader's rules: feeds and connections, in any order of events.

#![allow(clippy::unwrap_used, reason = "where a test cannot go on, it has failed")]

mod connection;
mod driver;
mod feed;
mod polling;
mod simulated_log;
mod simulation;

/// Returns a configuration that prints the seeds of failures and does not write them to the source folder.
/// `PROPTEST_CASES` sets the number of cases.
fn proptest_config() -> proptest::prelude::ProptestConfig {
    proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() }
}
