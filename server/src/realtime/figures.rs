//! `Figures`: what a node counts about itself.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Figures {
    from_memory: AtomicU64,
    from_log: AtomicU64,
}

impl Figures {
    /// Reads that were answered from memory.
    pub fn from_memory(&self) -> u64 {
        self.from_memory.load(Ordering::Relaxed)
    }

    /// Reads that the log was asked for, the node's own included.
    pub fn from_log(&self) -> u64 {
        self.from_log.load(Ordering::Relaxed)
    }

    pub(super) fn read_memory(&self) {
        self.from_memory.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read_log(&self) {
        self.from_log.fetch_add(1, Ordering::Relaxed);
    }
}
