//! `PendingPost`: one thing to publish, as it is shown, sent and kept.

use shared::{ErrorCode, Key, Millis, Payload, Position, Problem, Topic, UserId};

/// A post that waited longer than this is not sent before its author says so.
const UNASKED_MS_MAX: Millis = 30 * 24 * 60 * 60 * 1_000;

/// One thing to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingPost {
    /// Who wrote it; it is shown to nobody else and sent under no other name.
    pub author: UserId,
    /// Where its event will appear.
    pub topic: Topic,
    /// Makes repeating it harmless, and tells which event it became.
    pub key: Key,
    /// Where it is posted.
    pub url: String,
    /// What is posted: the feature's own JSON.
    pub body: Payload,
    /// When it was written, by this machine's clock. PendingPosts of one tab never have the same time.
    pub at: Millis,
    /// How far it is.
    pub state: SendState,
}

/// How far a post is.
#[derive(Debug, Clone, PartialEq)]
pub enum SendState {
    /// On its way, or waiting for the connection.
    Queued,
    /// Durable; its event is about to appear there.
    Acked(Position),
    /// Written more than 30 days ago and never sent: a person decides.
    Held,
    /// Refused, or tried too often: a person decides.
    Failed(Problem),
}

impl PendingPost {
    /// Where it stands among all posts, of whichever tab: in the order of writing.
    pub(super) fn place(&self) -> (Millis, &Key) {
        (self.at, &self.key)
    }

    /// As the browser keeps it.
    pub(super) fn to_json(&self) -> Option<String> {
        let PendingPost { author, topic, key, url, body, at, state } = self;
        let failure = match state {
            SendState::Failed(problem) => problem.detail.as_str(),
            SendState::Queued | SendState::Acked(_) | SendState::Held => "",
        };
        serde_json::to_string(&(author, topic, key, url, body, at, failure)).ok()
    }

    /// Reads what [`PendingPost::to_json`] wrote, at this time of the node's clock. A failure keeps its words, which is all that
    /// a person sees of it. A post is never too old to be kept, only to be sent unasked: a clock may be wrong.
    pub(super) fn from_json(text: &str, now: Millis) -> Option<PendingPost> {
        let (author, topic, key, url, body, at, failure): (_, _, _, _, _, Millis, String) =
            serde_json::from_str(text).ok()?;
        let state = match failure.as_str() {
            "" if now - at > UNASKED_MS_MAX => SendState::Held,
            "" => SendState::Queued,
            words => SendState::Failed(Problem::new(ErrorCode::Invalid, words)),
        };
        Some(PendingPost { author, topic, key, url, body, at, state })
    }
}
