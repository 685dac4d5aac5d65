//! `Figures`: what a node counts about itself.

use std::sync::atomic::{AtomicU64, Ordering};

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// A read that was answered from memory.
    PullsFromMemory,
    /// A read that the log was asked for, the node's own included.
    PullsFromLog,
    /// A topic at a session that could not keep up, and was told the head in place of events.
    TopicsBehind,
    /// A frame that could not be read or was not allowed.
    FramesRefused,
    /// A signal past its session's rate.
    SignalsDropped,
    /// A frame past its session's rate, after which the socket is not read for a moment.
    ReadsPaused,
}

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Figures([AtomicU64; Count::ReadsPaused as usize + 1]);

impl Figures {
    /// One more.
    pub fn count(&self, what: Count) {
        self.0[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn of(&self, what: Count) -> u64 {
        self.0[what as usize].load(Ordering::Relaxed)
    }
}
