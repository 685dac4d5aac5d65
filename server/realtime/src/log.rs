//! `EventLog`: the durable truth behind every topic. The trait is the whole contract; an implementation is finished
//! when the contract suite of the tests passes on it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use shared::{Epoch, Event, EventPage, Identity, Key, Millis, Payload, Seq, Topic};

use crate::range::Range;

/// Durable lists of events, one for each topic.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Appends the drafts in their order, in one transaction with one sync to disk. The answers stand in the order of
    /// the drafts, and a bad draft fails alone. An event that is answered as `Ok` is durable, and has seq = head + 1.
    ///
    /// A draft with the topic, author and key of an earlier event, even one of this batch, gives that event again if
    /// the payload is the same, else [`AppendError::KeyReused`].
    async fn append(&self, drafts: Vec<Draft>) -> Vec<Result<Appended, AppendError>>;

    /// Reads epoch, head and events as one snapshot. The events are those of [`Range::span`], as far as the
    /// [`PageBudget`](crate::PageBudget) allows.
    async fn read(&self, topic: &Topic, range: Range) -> Result<EventPage, LogError>;

    /// Reads the newest seq of each topic asked for, and the epoch. Topics without events are absent.
    async fn heads(&self, of: HeadsOf<'_>) -> Result<Heads, LogError>;

    /// Writes something that no reader sees, as durably as an event. Succeeds if an append would succeed now.
    async fn try_write(&self) -> Result<(), LogError>;

    /// Reads something. Succeeds if a read would succeed now.
    async fn try_read(&self) -> Result<(), LogError> {
        self.heads(HeadsOf::Topics(&[])).await.map(drop)
    }
}

/// An event before it has a seq.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The topic that it is appended to.
    pub topic: Topic,
    /// The person who publishes it.
    pub author: Identity,
    /// The author's idempotency key.
    pub key: Key,
    /// The time at which the node accepted it.
    pub at: Millis,
    /// The content, which the log does not look into.
    pub payload: Payload,
}

impl Draft {
    /// Turns the draft into the event with that seq.
    pub fn into_event(self, seq: Seq) -> Event {
        let Draft { topic, author, key, at, payload } = self;
        Event { topic, seq, at, author, key, payload }
    }
}

/// An event that is in the log.
#[derive(Debug, Clone)]
pub struct Appended {
    /// The event, with its seq.
    pub event: Event,
    /// The epoch of the log.
    pub epoch: Epoch,
    /// New if this draft appended it.
    pub outcome: Outcome,
}

/// The effect of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The event was appended now.
    New,
    /// The event was there already, from an earlier draft with the same key.
    Replayed,
}

/// The topics whose heads to read.
#[derive(Debug, Clone, Copy)]
pub enum HeadsOf<'a> {
    /// These topics.
    Topics(&'a [Topic]),
    /// The topics of one namespace with the newest events, up to a number.
    Newest(&'a str, u32),
}

/// The newest seqs of topics, from one snapshot.
#[derive(Debug, Clone)]
pub struct Heads {
    /// The epoch of the log.
    pub epoch: Epoch,
    /// The newest seq by topic. Topics without events are absent.
    pub heads: BTreeMap<Topic, Seq>,
    /// The same topics in the order in which the log took their newest events, the latest first. No clock is involved.
    pub latest_first: Vec<Topic>,
}

/// The reason for which a draft is not in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The author used this key in the topic for another payload.
    #[error("the key was used for another payload")]
    KeyReused,
    /// The draft may or may not have become durable. Publishing it again with the same key tells.
    #[error("the log cannot be written: {0}")]
    Unavailable(String),
}

/// The log cannot be read or opened. The text names the cause.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct LogError(pub String);
