//! `LocalBus`: the bus of a single node, a channel within the process.

use async_trait::async_trait;
use futures_util::stream::{BoxStream, StreamExt, unfold};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::bus::{Bus, BusError, BusMessage, Notice};

/// Notices that wait for a listener. The hub only hands frames to mailboxes, so it falls behind by this much only when
/// the machine has stalled; then it reads the heads again.
const NOTICES_MAX: usize = 4_096;

/// A bus that reaches this process alone.
pub struct LocalBus {
    notices: broadcast::Sender<Notice>,
}

impl Default for LocalBus {
    fn default() -> LocalBus {
        LocalBus { notices: broadcast::Sender::new(NOTICES_MAX) }
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn announce(&self, notice: Notice) -> Result<(), BusError> {
        // An error says that nobody listens, which on a bus is no failure.
        self.notices.send(notice).ok();
        Ok(())
    }

    fn listen(&self) -> BoxStream<'static, BusMessage> {
        unfold(self.notices.subscribe(), |mut notices| async {
            match notices.recv().await {
                Ok(notice) => Some((BusMessage::Notice(notice), notices)),
                Err(RecvError::Lagged(_)) => Some((BusMessage::Missed, notices)),
                Err(RecvError::Closed) => None,
            }
        })
        .boxed()
    }
}
