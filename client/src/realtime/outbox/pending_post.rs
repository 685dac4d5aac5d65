//! `PendingPost`: one post to publish, as it is shown, sent and stored.

use shared::{ErrorCode, Key, Millis, Payload, Position, Problem, Topic, UserId};

/// The age beyond which a post is sent only after its author has confirmed it.
const UNCONFIRMED_MS_MAX: Millis = 30 * 24 * 60 * 60 * 1_000;

/// A post whose event has not come back yet.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingPost {
    /// The user who wrote it; it is shown to nobody else and sent under no other name.
    pub author: UserId,
    /// The topic in which its event will appear.
    pub topic: Topic,
    /// The idempotency key: makes retries harmless, and identifies the event that the post became.
    pub key: Key,
    /// The URL that it is posted to.
    pub url: String,
    /// The body, in the feature's own JSON.
    pub body: Payload,
    /// The time of writing, by the node's clock as far as it is known. No two posts of a tab have the same.
    pub at: Millis,
    /// The progress of sending.
    pub state: SendState,
}

/// The progress of sending a post.
#[derive(Debug, Clone, PartialEq)]
pub enum SendState {
    /// Being sent, or waiting for the connection.
    Queued,
    /// Durable at that position; its event is about to arrive.
    Acked(Position),
    /// Written more than 30 days ago and never sent: the user decides.
    Held,
    /// Refused, or tried too often: the user decides.
    Failed(Problem),
}

impl PendingPost {
    /// The sort key among the posts of all tabs: the order of writing.
    pub(super) fn order(&self) -> (Millis, &Key) {
        (self.at, &self.key)
    }

    /// Encodes the post for the browser's storage.
    pub(super) fn to_json(&self) -> Option<String> {
        let PendingPost { author, topic, key, url, body, at, state } = self;
        let failure = match state {
            SendState::Failed(problem) => problem.detail.as_str(),
            SendState::Queued | SendState::Acked(_) | SendState::Held => "",
        };
        serde_json::to_string(&(author, topic, key, url, body, at, failure)).ok()
    }

    /// Decodes what [`PendingPost::to_json`] wrote; `now` is the node's time.
    ///
    /// Of a failure the detail is kept, which is all that the user sees. However old a post is, it is never dropped,
    /// only held: the clock may be wrong.
    pub(super) fn from_json(text: &str, now: Millis) -> Option<PendingPost> {
        let (author, topic, key, url, body, at, failure): (_, _, _, _, _, Millis, String) =
            serde_json::from_str(text).ok()?;
        let state = match failure.as_str() {
            "" if now - at > UNCONFIRMED_MS_MAX => SendState::Held,
            "" => SendState::Queued,
            detail => SendState::Failed(Problem::new(ErrorCode::Invalid, detail)),
        };
        Some(PendingPost { author, topic, key, url, body, at, state })
    }
}
