//! A deterministic simulation: real nodes, sessions, feeds and connections on a simulated clock, with links, a bus and
//! a log that fail in every way they may.
//!
//! The faults of a run stop before its end; then every promise is checked. If a seed breaks a promise, the failure
//! message says how to run that seed again. The same seed always gives the same run.

mod accounts;
mod bus;
mod faults;
mod faulty_log;
mod history;
mod invariants;
mod link;
mod network;
mod process;
mod reader;
mod request;
mod rng;
mod run;
mod seeds;
mod sequencer;
mod socket_checker;
mod topic_reader;
mod topics;
mod trace;
mod world;
mod writer;

use run::run_seed;
use seeds::{assert_every_fault_happened, assert_no_violations, run_seeds};

use crate::support::env::number_of;

/// The number of seeds for which every push has time. `DUPLEX_SEEDS` overrides it.
const SEEDS: u64 = 300;
/// In this many runs each fault happens at least once; in fewer, the rarest may be missing.
const SEEDS_FOR_EVERY_FAULT: u64 = 1_000;

#[test]
fn every_seed_keeps_every_promise() {
    if let Some(seed) = number_of("DUPLEX_SEED") {
        let result = run_seed(seed);
        println!("{}", result.trace.lines.join("\n"));
        return assert_no_violations(&[(seed, result)]);
    }
    let seeds = number_of("DUPLEX_SEEDS").unwrap_or(SEEDS);
    let (failed, counts) = run_seeds(seeds);
    assert_no_violations(&failed);
    if seeds >= SEEDS_FOR_EVERY_FAULT {
        assert_every_fault_happened(&counts);
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 1..=20 {
        assert_eq!(
            run_seed(seed).fingerprint,
            run_seed(seed).fingerprint,
            "seed {seed} gave two different runs"
        );
    }
}
