//! The log: the durable truth behind every topic. [`EventLog`] is the whole contract; a back end is finished when
//! the contract suite of the tests passes on it.

mod backup;
mod range;
mod restore;
mod sqlite;
mod summary;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use shared::{Epoch, Event, EventPage, Identity, Key, Millis, Payload, Seq, Topic};

use crate::store::{Kind, Location, Store};

pub use range::{End, Range, Room, Span, bytes};

pub use restore::Restored;
pub use summary::Summary;

/// Names one life of a log.
const EPOCH_CHARS: usize = 16;

/// Durable lists of events, one for each topic.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Appends the drafts in their order: one transaction, one sync to disk. Each answer stands at its draft's
    /// place, and a bad draft fails alone. What is `Ok` is durable, with seq = head + 1. The same topic, author
    /// and key as an earlier event, also one of this batch, gives that event again when the payload is the same,
    /// else [`AppendError::KeyReused`].
    async fn append(&self, drafts: Vec<Draft>) -> Vec<Result<Appended, AppendError>>;

    /// Epoch, head and events of one snapshot: those of [`Range::span`], as many of them as there is [`Room`] for.
    async fn read(&self, topic: &Topic, range: Range) -> Result<EventPage, LogError>;

    /// The newest seq of each topic asked for, with the epoch they belong to. Topics without events are absent.
    async fn heads(&self, which: Which<'_>) -> Result<Heads, LogError>;

    /// Writes something that no reader sees, as durably as an event: whether an append would succeed now.
    async fn try_write(&self) -> Result<(), LogError>;

    /// Reads something: whether a read would succeed now.
    async fn try_read(&self) -> Result<(), LogError> {
        self.heads(Which::Topics(&[])).await.map(drop)
    }

    /// Gives back what the log holds open, once nobody will call it any more.
    async fn close(&self) {}
}

/// An event before it has a seq.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Where it is to be appended.
    pub topic: Topic,
    /// Who publishes it.
    pub author: Identity,
    /// The author's own name for it.
    pub key: Key,
    /// When the node took it.
    pub at: Millis,
    /// What it says.
    pub payload: Payload,
}

impl Draft {
    /// The event it becomes.
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
    /// The log's life.
    pub epoch: Epoch,
    /// Whether it is there because of this draft.
    pub outcome: Outcome,
}

/// Whether an append changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Appended now.
    New,
    /// It was there: an earlier draft with the same key.
    Replayed,
}

/// Whose heads to read.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// These.
    Topics(&'a [Topic]),
    /// Of one namespace, the topics with the newest events: so many at most.
    Newest(&'a str, u32),
}

/// Newest seqs, of one snapshot.
#[derive(Debug, Clone)]
pub struct Heads {
    /// The log's life.
    pub epoch: Epoch,
    /// Topics without events are absent.
    pub heads: BTreeMap<Topic, Seq>,
    /// The same topics in the order in which the log took their newest events, the latest first: no clock is asked.
    pub latest_first: Vec<Topic>,
}

/// Why a draft is not in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The author used this key there for something else.
    #[error("the key was used for another payload")]
    KeyReused,
    /// The log could not say whether the draft became durable; the same key again tells.
    #[error("the log cannot be written: {0}")]
    Unavailable(String),
}

/// The log cannot be read, or not be opened.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct LogError(pub String);

/// Whether opening the log begins a new life of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewEpoch {
    /// Positions of readers stay good.
    Keep,
    /// Every reader starts over.
    Begin,
}

/// The log in that database, and what it holds; nothing of one that was made just now.
pub async fn open(
    store: &Store,
    new_epoch: NewEpoch,
) -> Result<(Arc<dyn EventLog>, Option<Summary>), LogError> {
    match &store.0 {
        Kind::Sqlite(database) => {
            let (log, holds) = sqlite::SqliteLog::open(database.clone(), new_epoch).await?;
            Ok((Arc::new(log), holds))
        }
    }
}

/// Reads the log that is there, as far as there is one, and changes nothing. Returns the file that it is in.
pub async fn check(location: &Location) -> Result<PathBuf, LogError> {
    let Location::Sqlite(file) = location;
    sqlite::check(file).await?;
    Ok(file.clone())
}

/// Copies the log to a file that does not exist yet, while nodes go on using it. Returns the size in bytes too.
pub async fn copy(location: &Location, to: &Path) -> Result<(Summary, u64), LogError> {
    let Location::Sqlite(file) = location;
    backup::copy(file, to).await
}

/// Reads all of a file, and fails when anything in it is not as a node leaves it. Changes nothing.
pub async fn verify(file: &Path) -> Result<Summary, LogError> {
    restore::verify(file).await
}

/// Puts the log of a file in the place of the one that is there, as a new life of it. Nobody may have that one open.
pub async fn restore(from: &Path, location: &Location) -> Result<Restored, LogError> {
    let Location::Sqlite(file) = location;
    restore::restore(from, file).await
}
