//! `NewEpoch`: the choice of the log's epoch when it is opened.

/// The choice of the log's epoch when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewEpoch {
    /// Positions of readers stay valid. A file whose newest events were lost is refused.
    Keep,
    /// Every reader starts over, and a file whose newest events were lost is accepted.
    Begin,
}
