//! `Cursor`: the last event a reader applied, and the one rule that makes a stream exactly-once.

use crate::Seq;

/// The last event applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor(Seq);

/// The verdict on an event that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The event that follows: the cursor has moved to it, and it is to be applied.
    Next,
    /// An event that was applied before.
    Seen,
    /// An event beyond the next one: some are missing in between.
    Gap,
}

impl Cursor {
    /// The cursor of a reader that has applied everything up to and including `seq`.
    pub fn at(seq: Seq) -> Cursor {
        Cursor(seq)
    }

    /// The last event that was applied.
    pub fn seq(self) -> Seq {
        self.0
    }

    /// Judges an event that arrives, and moves on if it is the next one.
    pub fn admit(&mut self, seq: Seq) -> Admission {
        if seq <= self.0 {
            Admission::Seen
        } else if seq == self.0.next() {
            self.0 = seq;
            Admission::Next
        } else {
            Admission::Gap
        }
    }
}
