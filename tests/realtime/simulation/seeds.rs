//! Many seeds on two threads, and what is said about those that failed.

use std::collections::BTreeMap;
use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::play::{Outcome, play};

/// CI has two cores.
const THREADS: usize = 2;
/// So many of the last lines are shown of a run that failed.
const LINES_SHOWN: usize = 60;

/// Faults that must have struck in the runs together: one that never strikes proves nothing.
const FAULTS: [&str; 24] = [
    "answer lost",
    "backup restored",
    "commit failed",
    "commit's answer lost",
    "drained",
    "goes offline",
    "half-open found by the node",
    "half-open link",
    "head told again",
    "hides the page",
    "is behind a proxy that forbids sockets",
    "is cut off",
    "is signed out elsewhere",
    "key reused",
    "leaves a topic",
    "node killed",
    "notice lost",
    "permission ended",
    "permission returned",
    "pressed twice",
    "read failed",
    "request doubled",
    "request lost",
    "stops reading",
];

/// How often what happened.
type Counts = BTreeMap<&'static str, u64>;

/// Plays the seeds from 1 on. Returns those that broke a promise, in their order, and what happened in all.
pub fn play_all(seeds: u64) -> (Vec<(u64, Outcome)>, Counts) {
    let (next, failed, counts) = (AtomicU64::new(1), Mutex::new(Vec::new()), Mutex::new(Counts::new()));
    let next_seed = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed <= seeds);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(seed) = next_seed() {
                    let outcome = play(seed);
                    for (kind, count) in &outcome.noted.counts {
                        *counts.lock().unwrap().entry(*kind).or_default() += count;
                    }
                    if !outcome.noted.broken.is_empty() {
                        failed.lock().unwrap().push((seed, outcome));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_by_key(|(seed, _)| *seed);
    (failed, counts.into_inner().unwrap())
}

/// Fails with the end of the first run that failed, and with a line about each.
pub fn assert_kept(failed: &[(u64, Outcome)]) {
    let Some((first, outcome)) = failed.first() else { return };
    let lines = &outcome.noted.lines;
    let end = lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n");
    let all =
        failed.iter().map(|(seed, outcome)| format!("seed {seed}: {}", outcome.noted.broken.join("; ")));
    let all = all.collect::<Vec<_>>().join("\n");
    panic!("{end}\n\n{all}\n{} seeds failed; play the first again: {}", failed.len(), again(*first));
}

/// Fails when a fault was never put to the test.
pub fn assert_every_fault_struck(counts: &Counts) {
    let never: Vec<&str> = FAULTS.into_iter().filter(|kind| !counts.contains_key(kind)).collect();
    assert!(never.is_empty(), "never happened: {never:?}, but only {counts:#?}");
}

/// The command that plays a seed again.
pub fn again(seed: u64) -> String {
    format!("DUPLEX_SEED={seed} cargo test --test main every_seed -- --nocapture")
}

/// What a variable of the environment says.
pub fn number_of(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a whole number, not {text:?}")))
}
