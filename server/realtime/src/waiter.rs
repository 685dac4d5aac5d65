//! `Waiter`: a client that waits at a topic by pulling, with a long poll or a stream over plain HTTP.
//!
//! It has no queue. It is told that the topic has moved, and reads at its own pace from where it was, mostly from
//! memory. So it costs no memory here, however slow it is.

use std::sync::Arc;

use shared::{Position, Topic};
use tokio::sync::watch;

use crate::access::Visitor;
use crate::mailbox::{Ending, Mailbox};
use crate::node::Node;
use crate::sessions::SessionId;

/// A session without a socket. Dropping it ends the session.
pub struct Waiter {
    topic: Topic,
    node: Arc<Node>,
    id: SessionId,
    /// Takes no frame; the node sends the session away through it.
    mailbox: Arc<Mailbox>,
    /// `None` only while dropping: the hub counts receivers, so this one goes first.
    position: Option<watch::Receiver<Option<Position>>>,
    seen: Option<Position>,
}

impl Waiter {
    /// Begins to wait at `topic`, without asking for permission; see [`Node::may_read`].
    pub fn begin(node: &Arc<Node>, visitor: Visitor, topic: Topic) -> Waiter {
        let mailbox = Arc::new(Mailbox::new(0, 0));
        let id = node.sessions.add(visitor, mailbox.clone());
        let position = Some(node.watch(&topic));
        Waiter { topic, node: node.clone(), id, mailbox, position, seen: None }
    }

    /// Returns the ending, if the session is being sent away.
    pub fn ending(&self) -> Option<Ending> {
        self.mailbox.ending()
    }

    /// Returns once the node knows the topic's position, and after that whenever it has moved since the last call.
    /// Fails with the ending if the session is sent away.
    pub async fn moved(&mut self) -> Result<(), Ending> {
        let seen = self.seen.clone();
        let moved = async {
            let Some(position) = &mut self.position else { return std::future::pending().await };
            let has_moved = |known: &Option<Position>| known.is_some() && *known != seen;
            let known = position.wait_for(has_moved).await.map(|known| known.clone());
            match known {
                Ok(known) => known,
                // The hub keeps the topic open for as long as this waiter is there.
                Err(_) => std::future::pending().await,
            }
        };
        let known = tokio::select! {
            biased;
            ending = self.mailbox.ended() => return Err(ending),
            known = moved => known,
        };
        self.seen = known;
        Ok(())
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.position = None;
        self.node.hub.unwatch(&self.topic);
        self.node.sessions.remove(self.id);
    }
}
