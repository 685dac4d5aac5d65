//! `Members`: the presence of a topic, as the node last sent it.

use shared::Member;

/// The members of a topic. `total` is 0 while they are unknown: a reader of a topic is a member too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    /// The exact number of members.
    pub total: u64,
    /// The members who have been there longest, 50 at most.
    pub listed: Vec<Member>,
}
