//! A whole world on one seed: real nodes, sessions, feeds and connections on a simulated clock, over links, a bus
//! and a log that fail in every way they may.
//!
//! A run has some seconds of peace at its end, and then every promise is judged. When a seed breaks one, its
//! message says how to play that seed again; the same seed is always the same run.

mod bus;
mod chance;
mod invariants;
mod ledger;
mod link;
mod log;
mod network;
mod people;
mod play;
mod process;
mod reader;
mod reading;
mod request;
mod seeds;
mod topics;
mod trace;
mod turnstile;
mod whims;
mod witness;
mod world;
mod writer;

use play::play;
use seeds::{assert_every_fault_struck, assert_kept, number_of, play_all};

/// As many as there is time for at every push; `DUPLEX_SEEDS` says otherwise.
const SEEDS: u64 = 300;
/// In so many runs each fault strikes at least once; in fewer the rarest may be missing.
const SEEDS_FOR_EVERY_FAULT: u64 = 1_000;

#[test]
fn every_seed_keeps_every_promise() {
    if let Some(seed) = number_of("DUPLEX_SEED") {
        let outcome = play(seed);
        println!("{}", outcome.noted.lines.join("\n"));
        return assert_kept(&[(seed, outcome)]);
    }
    let seeds = number_of("DUPLEX_SEEDS").unwrap_or(SEEDS);
    let (failed, counts) = play_all(seeds);
    assert_kept(&failed);
    if seeds >= SEEDS_FOR_EVERY_FAULT {
        assert_every_fault_struck(&counts);
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 1..=20 {
        assert_eq!(play(seed).fingerprint, play(seed).fingerprint, "seed {seed} went two ways");
    }
}
