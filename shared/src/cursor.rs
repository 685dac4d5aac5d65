//! `Cursor`: the last event a reader applied, and the one rule that makes a stream exactly-once.

use crate::Seq;

/// The last event applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor(Seq);

/// What an arrival is to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The event that follows: the cursor has moved to it, apply it.
    Next,
    /// Applied before: ignore it.
    Seen,
    /// Beyond the next one: something is missing in between.
    Gap,
}

impl Cursor {
    /// A reader that has applied everything up to and including `seq`.
    pub fn at(seq: Seq) -> Cursor {
        Cursor(seq)
    }

    /// Where the reader is.
    pub fn seq(self) -> Seq {
        self.0
    }

    /// Judges an arrival, and moves on when it is the next.
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
