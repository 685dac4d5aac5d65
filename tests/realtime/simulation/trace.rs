//! `Trace`: what happened in a run, in order; what must not have happened; and how often what did.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex};

use shared::Millis;
use tokio::time::Instant;

/// A run that notes more than this goes round in circles.
const LINES_MAX: usize = 300_000;

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The run on this thread begins now.
pub fn begin() {
    BEGAN.set(Some(Instant::now()));
}

/// Milliseconds since the run on this thread began: the clock of its nodes and of its readers.
pub fn now() -> Millis {
    BEGAN.get().map_or(0, |began| began.elapsed().as_millis() as Millis)
}

/// See the module. Clones write to the same one.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Noted>>);

/// What a run leaves.
#[derive(Default)]
pub struct Noted {
    /// What happened, with the time.
    pub lines: Vec<String>,
    /// HeadsOf promises were broken, and how.
    pub broken: Vec<String>,
    /// How often what happened: a fault that never strikes proves nothing.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Trace {
    /// Something happened.
    pub fn note(&self, what: impl Display) {
        let mut noted = self.0.lock().unwrap();
        assert!(noted.lines.len() < LINES_MAX, "the run goes round in circles: {what}");
        let line = format!("{:>6} {what}", now());
        noted.lines.push(line);
    }

    /// Something of a kind that all runs together should have seen happened.
    pub fn count(&self, kind: &'static str) {
        *self.0.lock().unwrap().counts.entry(kind).or_default() += 1;
    }

    /// Something happened that must not.
    pub fn broken(&self, promise: &str, how: impl Display) {
        let line = format!("{promise}: {how}");
        self.note(format!("BROKEN {line}"));
        self.0.lock().unwrap().broken.push(line);
    }

    /// How often it has happened so far.
    pub fn counted(&self, kind: &str) -> u64 {
        self.0.lock().unwrap().counts.get(kind).copied().unwrap_or_default()
    }

    /// All of it.
    pub fn take(&self) -> Noted {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
