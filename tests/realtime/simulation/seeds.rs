//! Runs many seeds on two threads, and reports those that failed.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::run::{RunResult, run_seed};

/// The number of cores in CI.
const THREADS: usize = 2;
/// The number of last lines that are shown of a run that failed.
const LINES_SHOWN: usize = 60;

/// Faults that must happen in all runs together: a fault that never happens proves nothing.
const FAULTS: [&str; 24] = [
    "answer lost",
    "backup restored",
    "commit failed",
    "commit's answer lost",
    "drained",
    "goes offline",
    "half-open found by the node",
    "half-open link",
    "head sent again",
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

/// The number of times that each kind of event happened.
type EventCounts = BTreeMap<&'static str, u64>;

/// Runs the seeds from 1 to `seeds`. Returns those that broke a promise, in order, and the counts of all runs.
pub fn run_seeds(seeds: u64) -> (Vec<(u64, RunResult)>, EventCounts) {
    let next = AtomicU64::new(1);
    let failed = Mutex::new(Vec::new());
    let counts = Mutex::new(EventCounts::new());
    let next_seed = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed <= seeds);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(seed) = next_seed() {
                    let result = run_seed(seed);
                    for (kind, count) in &result.trace.counts {
                        *counts.lock().unwrap().entry(*kind).or_default() += count;
                    }
                    if !result.trace.violations.is_empty() {
                        failed.lock().unwrap().push((seed, result));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_by_key(|(seed, _)| *seed);
    (failed, counts.into_inner().unwrap())
}

/// Fails if a run broke a promise: shows the end of the first such run, and a line about each.
pub fn assert_no_violations(failed: &[(u64, RunResult)]) {
    let Some((first, result)) = failed.first() else { return };
    let lines = &result.trace.lines;
    let end = lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n");
    let all =
        failed.iter().map(|(seed, result)| format!("seed {seed}: {}", result.trace.violations.join("; ")));
    let all = all.collect::<Vec<_>>().join("\n");
    panic!(
        "{end}\n\n{all}\n{} seeds failed; to run the first again: {}",
        failed.len(),
        replay_command(*first)
    );
}

/// Fails if a fault never happened.
pub fn assert_every_fault_happened(counts: &EventCounts) {
    let never: Vec<&str> = FAULTS.into_iter().filter(|kind| !counts.contains_key(kind)).collect();
    assert!(never.is_empty(), "these faults never happened: {never:?}; counts: {counts:#?}");
}

/// Returns the command that runs a seed again.
pub fn replay_command(seed: u64) -> String {
    format!("DUPLEX_SEED={seed} cargo test --test main every_seed -- --nocapture")
}
