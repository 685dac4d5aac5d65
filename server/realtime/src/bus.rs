//! `Bus`: the way in which nodes tell each other of events. It may lose, repeat and reorder: the log is the truth.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use shared::{Epoch, Event};

/// The link between the nodes of one log.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Tells every node, this one too; at most once, in any order.
    async fn announce(&self, notice: Notice) -> Result<(), BusError>;

    /// Returns all messages from now on, this node's own included. The stream ends only with the bus.
    fn listen(&self) -> BoxStream<'static, BusMessage>;
}

/// "This event was appended."
#[derive(Debug, Clone)]
pub struct Notice {
    /// The epoch of the log that holds the event.
    pub epoch: Epoch,
    /// The event.
    pub event: Arc<Event>,
}

/// A message that arrives over the bus.
#[derive(Debug, Clone)]
pub enum BusMessage {
    /// An event was appended.
    Notice(Notice),
    /// Some notices were lost: the heads must be read again.
    Missed,
}

/// The bus cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct BusError(pub String);
