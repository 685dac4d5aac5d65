//! `Trace`: the events of a run in order, the promises that it broke, and counters.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex};

use shared::Millis;
use tokio::time::Instant;

/// A run with more lines than this is stuck in a loop.
const LINES_MAX: usize = 300_000;

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Starts the clock of the run on this thread.
pub fn begin() {
    BEGAN.set(Some(Instant::now()));
}

/// Returns the milliseconds since the run on this thread began: the clock of its nodes and of its readers.
pub fn now() -> Millis {
    BEGAN.get().map_or(0, |began| began.elapsed().as_millis() as Millis)
}

/// A shared handle to the trace of a run. Clones write to the same trace.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<TraceData>>);

/// The trace of a finished run.
#[derive(Default)]
pub struct TraceData {
    /// The events of the run, each with its time.
    pub lines: Vec<String>,
    /// The promises that were broken, each with its details.
    pub violations: Vec<String>,
    /// The number of times that each kind of event happened: a fault that never happens proves nothing.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Trace {
    /// Adds a line.
    pub fn note(&self, event: impl Display) {
        let mut trace = self.0.lock().unwrap();
        assert!(trace.lines.len() < LINES_MAX, "the run is stuck in a loop: {event}");
        let line = format!("{:>6} {event}", now());
        trace.lines.push(line);
    }

    /// Counts an event of a kind that should happen at least once in all runs together.
    pub fn count(&self, kind: &'static str) {
        *self.0.lock().unwrap().counts.entry(kind).or_default() += 1;
    }

    /// Records that a promise was broken.
    pub fn violation(&self, promise: &str, details: impl Display) {
        let line = format!("{promise}: {details}");
        self.note(format!("VIOLATION {line}"));
        self.0.lock().unwrap().violations.push(line);
    }

    /// Returns the number of events of a kind so far.
    pub fn count_of(&self, kind: &str) -> u64 {
        self.0.lock().unwrap().counts.get(kind).copied().unwrap_or_default()
    }

    /// Takes the whole trace out.
    pub fn take(&self) -> TraceData {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
