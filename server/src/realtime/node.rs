//! `Node`: this process's part in the realtime system, and all that the edge and the features ask of it.

use std::sync::Arc;

use shared::{EventPage, Identity, Key, Millis, Payload, Pull, Topic};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits::Limits;
use crate::realtime::access::{Access, AccessRule};
use crate::realtime::bus::Bus;
use crate::realtime::error::{PublishError, SubscribeError};
use crate::realtime::hub::{Hub, Listener};
use crate::realtime::log::{Appended, Draft, EventLog, Heads, LogError, Range, Which};
use crate::realtime::publisher::Publisher;
use crate::realtime::sessions::{SessionId, Sessions, SignIn};

/// Reads of the log that the hub has under way at a time, over all topics.
const PULLS_MAX: usize = 16;
/// How many events the hub reads at a time.
const PAGE_MAX: u32 = 500;

/// What a node is made of. The clock and the names come from outside, so that a test can choose them.
pub struct Parts {
    /// Names this process.
    pub name: String,
    /// Names the client that this node serves.
    pub build: String,
    /// The durable truth.
    pub log: Arc<dyn EventLog>,
    /// The link to the other nodes.
    pub bus: Arc<dyn Bus>,
    /// One rule for each namespace.
    pub rules: Vec<(&'static str, Arc<dyn AccessRule>)>,
    /// The limits.
    pub limits: Limits,
    /// The time now.
    pub clock: fn() -> Millis,
}

/// See the module.
pub struct Node {
    pub(super) name: String,
    pub(super) build: String,
    pub(super) limits: Limits,
    pub(super) hub: Hub,
    pub(super) sessions: Sessions,
    log: Arc<dyn EventLog>,
    access: Access,
    publisher: Publisher,
    clock: fn() -> Millis,
    pulls: Semaphore,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl Node {
    /// A node whose tasks do not run yet: see [`Node::start`].
    pub(super) fn new(parts: Parts, publisher: Publisher) -> Node {
        let Parts { name, build, log, bus: _, rules, limits, clock } = parts;
        Node {
            name,
            build,
            limits,
            hub: Hub::default(),
            sessions: Sessions::default(),
            log,
            access: Access::new(rules),
            publisher,
            clock,
            pulls: Semaphore::new(PULLS_MAX),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Publishes one event, and returns once it is durable. Whoever stops waiting changes nothing.
    pub async fn publish(
        &self,
        topic: Topic,
        author: Identity,
        key: Key,
        payload: Payload,
    ) -> Result<Appended, PublishError> {
        let bytes_max = self.limits.payload_bytes_max;
        if payload.as_json().len() > bytes_max as usize {
            return Err(PublishError::TooLarge { bytes_max });
        }
        let at = (self.clock)();
        self.publisher.publish(Draft { topic, author, key, at, payload }).await
    }

    /// Reads a part of a topic, without asking whether the reader may: see [`Node::may_read`].
    pub async fn page(&self, topic: &Topic, range: Range) -> Result<EventPage, LogError> {
        self.log.read(topic, range).await
    }

    /// The newest seq of the topics asked for.
    pub async fn heads(&self, which: Which<'_>) -> Result<Heads, LogError> {
        self.log.heads(which).await
    }

    /// Asks the feature's rule, now.
    pub async fn may_read(&self, who: &Identity, topic: &Topic) -> Result<(), SubscribeError> {
        self.access.check(who, topic).await
    }

    /// How many people are at a topic of this node, for others to see.
    pub fn online(&self, topic: &Topic) -> u64 {
        self.hub.online(topic) as u64
    }

    /// How many sessions are open.
    pub fn sessions_open(&self) -> usize {
        self.sessions.count()
    }

    /// Closes every session of a sign-in that has ended.
    pub fn end_sign_in(&self, sign_in: SignIn) {
        self.sessions.end(sign_in);
    }

    /// Sends every session away, to come back within `spread_ms`.
    pub fn drain(&self, spread_ms: u64) {
        self.sessions.drain(spread_ms);
    }

    /// Returns once no session is open.
    pub async fn all_sessions_ended(&self) {
        self.sessions.all_ended().await;
    }

    /// Ends the node's tasks and closes the log. What was accepted before is appended first.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.log.close().await;
    }

    /// Adds a listener to the hub, which may have to read the topic's head first.
    pub(super) fn subscribe(self: &Arc<Self>, topic: &Topic, session: SessionId, listener: Listener) {
        let wanted = self.hub.subscribe(topic, session, listener);
        self.pull_for_hub(topic.clone(), wanted);
    }

    /// Reads the log for the hub until the hub has what it wants, beside everything else that goes on.
    pub(super) fn pull_for_hub(self: &Arc<Self>, topic: Topic, wanted: Option<Pull>) {
        let Some(mut pull) = wanted else { return };
        let node = self.clone();
        self.tasks.spawn(async move {
            let _turn = node.pulls.acquire().await;
            loop {
                // The hub needs no events where it skips to the head.
                let limit = if pull.after.is_none() { 0 } else { PAGE_MAX };
                let next = match node.log.read(&topic, Range::of(pull, limit)).await {
                    Ok(page) => node.hub.on_page(page),
                    Err(error) => {
                        tracing::error!(%topic, %error, "the hub could not read the log; the next beat tries again");
                        node.hub.on_pull_failed(&topic);
                        None
                    }
                };
                match next {
                    Some(next) => pull = next,
                    None => return,
                }
            }
        });
    }
}
