//! `Members`: who is in a topic, as the node said last.

use shared::Member;

/// Nobody, that is total 0, while it is not known: whoever reads a topic is there too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    /// How many people, exactly.
    pub total: u64,
    /// Those who have been there longest, 50 at most.
    pub listed: Vec<Member>,
}
