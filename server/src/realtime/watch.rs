//! `Watch`: someone who waits at a topic by pulling: a long poll, or a stream over plain HTTP.
//!
//! It has no queue. It is told that the topic has moved, and reads at its own pace from where it was, mostly from
//! memory. So it needs no room here, however slow it is.

use std::sync::Arc;

use shared::{Position, Topic};
use tokio::sync::watch;

use crate::realtime::access::Visitor;
use crate::realtime::node::Node;
use crate::realtime::outbox::{Ending, Outbox};
use crate::realtime::sessions::SessionId;

/// See the module. Dropping it ends the waiting.
pub struct Watch {
    topic: Topic,
    node: Arc<Node>,
    id: SessionId,
    /// Takes no frame: it is how the node sends everybody away.
    outbox: Arc<Outbox>,
    /// Always there, until it is dropped before the hub counts who is left.
    position: Option<watch::Receiver<Option<Position>>>,
    seen: Option<Position>,
}

impl Watch {
    /// Begins to wait at `topic`, without asking whether the visitor may: see [`Node::may_read`].
    pub fn begin(node: &Arc<Node>, visitor: Visitor, topic: Topic) -> Watch {
        let outbox = Arc::new(Outbox::new(0, 0));
        let id = node.sessions.add(visitor, outbox.clone());
        let position = Some(node.watch(&topic));
        Watch { topic, node: node.clone(), id, outbox, position, seen: None }
    }

    /// Why there is nothing to wait for any more, if so.
    pub fn ending(&self) -> Option<Ending> {
        self.outbox.ending()
    }

    /// Returns once the node knows where the topic is, and then whenever it has moved on since the last time; or
    /// why there is nothing to wait for any more.
    pub async fn moved(&mut self) -> Result<(), Ending> {
        let seen = self.seen.clone();
        let moved = async {
            let Some(position) = &mut self.position else { return std::future::pending().await };
            let is_news = |known: &Option<Position>| known.is_some() && *known != seen;
            let known = position.wait_for(is_news).await.map(|known| known.clone());
            match known {
                Ok(known) => known,
                // The hub watches the topic for as long as we wait at it.
                Err(_) => std::future::pending().await,
            }
        };
        let known = tokio::select! {
            biased;
            ending = self.outbox.ended() => return Err(ending),
            known = moved => known,
        };
        self.seen = known;
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.position = None;
        self.node.hub.unwatch(&self.topic);
        self.node.sessions.remove(self.id);
    }
}
