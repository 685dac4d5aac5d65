//! `Node`: this process's part in the realtime system, and all that the edge and the features ask of it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use shared::{
    DisplayName, EventPage, Identity, Key, Millis, Payload, Position, Pull, Seq, ServerFrame, Topic, UserId,
};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::detached::to_the_end;
use crate::limits::Limits;
use crate::realtime::access::{Access, AccessRule, SignIn};
use crate::realtime::bus::Bus;
use crate::realtime::error::{PublishError, ReadError, SubscribeError};
use crate::realtime::figures::Figures;
use crate::realtime::hub::{Hub, Permissions};
use crate::realtime::log::{Appended, Draft, EventLog, Heads, LogError, Range, Which};
use crate::realtime::outbox::encode;
use crate::realtime::publisher::Publisher;
use crate::realtime::sessions::{SessionId, Sessions};
use crate::realtime::tail;
use crate::realtime::watched::{Leave, Listener};
use crate::realtime::writable::Writable;

/// A log that reads more slowly is none to send anybody to.
const READ_WITHIN: Duration = Duration::from_secs(5);
/// Reads of the log that the hub has under way at a time, over all topics.
const PULLS_MAX: usize = 16;
/// How many events the hub reads at a time, also when it opens a topic: they are its tail.
const PAGE_MAX: u32 = tail::EVENTS_MAX as u32;

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
    pub(super) writable: Arc<Writable>,
    pub(super) figures: Arc<Figures>,
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
            writable: Arc::default(),
            figures: Arc::default(),
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
        let at = self.now();
        let appended = self.publisher.publish(Draft { topic, author, key, at, payload }).await?;
        let at = Position { epoch: appended.epoch.clone(), seq: appended.event.seq };
        self.hub.on_ack(&appended.event.topic, at);
        Ok(appended)
    }

    /// Reads a part of a topic, without asking whether the reader may: see [`Node::may_read`]. Mostly from memory,
    /// which knows all that was published through this node, and answers only when it also knows as much as the
    /// reader has `heard` of elsewhere.
    pub async fn page(&self, topic: &Topic, range: Range, heard: Seq) -> Result<EventPage, LogError> {
        if let Some(page) = self.hub.page(topic, &range, heard) {
            self.figures.pulls_from_memory.inc();
            return Ok(page);
        }
        self.figures.pulls_from_log.inc();
        self.log.read(topic, range).await
    }

    /// The page for somebody who may read it. The rule is asked before, and once more when it is read: a read may take
    /// longer than a permission lasts, and then holds what came after its end.
    pub async fn page_for(
        &self,
        who: &Identity,
        topic: &Topic,
        range: Range,
        heard: Seq,
    ) -> Result<EventPage, ReadError> {
        self.may_read(who, topic).await?;
        let page = self.page(topic, range, heard).await?;
        self.may_read(who, topic).await?;
        Ok(page)
    }

    /// The newest seq of the topics asked for.
    pub async fn heads(&self, which: Which<'_>) -> Result<Heads, LogError> {
        self.figures.pulls_from_log.inc();
        self.log.heads(which).await
    }

    /// Whether the log takes writes now; see [`Writable::is_now`].
    pub async fn can_write(&self) -> bool {
        self.writable.is_now(&*self.log).await
    }

    /// True if a trial read of the log succeeds now, within five seconds.
    pub async fn can_read(&self) -> bool {
        let read = tokio::time::timeout(READ_WITHIN, self.log.try_read()).await;
        let read = read.unwrap_or_else(|_| Err(LogError("it takes too long".into())));
        read.inspect_err(|error| tracing::error!(%error, "the log cannot be read")).is_ok()
    }

    /// Asks the feature's rule, now.
    pub async fn may_read(&self, who: &Identity, topic: &Topic) -> Result<(), SubscribeError> {
        self.access.check(who, topic).await
    }

    /// How many people are at a topic of this node, for others to see.
    pub fn online(&self, topic: &Topic) -> u64 {
        self.hub.online(topic)
    }

    /// Somebody is called otherwise from now on: the others see it at once.
    pub fn rename(&self, user: &UserId, name: &DisplayName) {
        self.sessions.rename(user, name);
        self.hub.rename(user, name);
    }

    /// An access rule says otherwise about `topic` from now on. Whoever listens there and may no longer is told
    /// so at once. Call it after the rule has changed.
    pub async fn permissions_changed(self: &Arc<Self>, topic: &Topic) {
        let (node, topic) = (self.clone(), topic.clone());
        let listeners = self.hub.permissions_changed(&topic);
        // All at once: while the rule is asked for one, the others still hear what is published.
        let asked =
            listeners.into_iter().map(move |(id, who)| node.clone().ask_again(topic.clone(), id, who));
        to_the_end(join_all(asked)).await;
    }

    async fn ask_again(self: Arc<Self>, topic: Topic, session: SessionId, who: Identity) {
        let Err(error) = self.may_read(&who, &topic).await else { return };
        self.hub.unsubscribe(&topic, session, Leave::Now);
        if let Some(outbox) = self.sessions.outbox(session) {
            outbox.answer(encode(&ServerFrame::Refused { topic, problem: error.problem() }));
        }
    }

    /// The node's clock.
    pub(super) fn now(&self) -> Millis {
        (self.clock)()
    }

    /// What was counted since the start.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// How many publishes wait for the log.
    pub(super) fn publishes_waiting(&self) -> usize {
        self.publisher.waiting()
    }

    /// How many sessions are open.
    pub fn sessions_open(&self) -> usize {
        self.sessions.count()
    }

    /// Closes every session of a sign-in that has ended.
    pub fn end_sign_in(&self, sign_in: SignIn) {
        self.sessions.end(sign_in);
    }

    /// Closes the newest sessions of an address: see [`Sessions::shed`].
    pub fn shed(&self, from: IpAddr, keep: usize) -> usize {
        self.sessions.shed(from, keep)
    }

    /// Closes the newest sessions of all: see [`Sessions::shed_newest`].
    pub fn shed_newest(&self) -> usize {
        self.sessions.shed_newest()
    }

    /// The sessions of each address, without those that are being closed.
    pub fn sessions_by_address(&self) -> HashMap<IpAddr, usize> {
        self.sessions.by_address()
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

    /// Adds a listener to the hub, which may have to read the topic first; see [`Hub::subscribe`].
    pub(super) fn subscribe(
        self: &Arc<Self>,
        topic: &Topic,
        session: SessionId,
        listener: Listener,
        asked: Permissions,
    ) -> Result<(), Listener> {
        let wanted = self.hub.subscribe(topic, session, listener, asked)?;
        self.pull_for_hub(topic.clone(), wanted);
        Ok(())
    }

    /// Where a topic is, for one who waits at it; see [`Hub::watch`].
    pub(super) fn watch(self: &Arc<Self>, topic: &Topic) -> watch::Receiver<Option<Position>> {
        let (position, wanted) = self.hub.watch(topic);
        self.pull_for_hub(topic.clone(), wanted);
        position
    }

    /// Reads the log for the hub until the hub has what it wants, beside everything else that goes on.
    pub(super) fn pull_for_hub(self: &Arc<Self>, topic: Topic, wanted: Option<Pull>) {
        let Some(mut pull) = wanted else { return };
        let node = self.clone();
        self.tasks.spawn(async move {
            let _turn = node.pulls.acquire().await;
            // Whoever wanted it may have gone meanwhile.
            while node.hub.is_watching(&topic) && !node.stop.is_cancelled() {
                node.figures.pulls_from_log.inc();
                let next = match node.log.read(&topic, Range::of(pull, PAGE_MAX)).await {
                    Ok(page) => node.hub.on_page(page),
                    Err(error) => {
                        tracing::error!(%topic, %error, "the hub could not read the log; the next beat tries again");
                        node.hub.on_pull_failed(&topic);
                        None
                    }
                };
                let Some(next) = next else { return };
                pull = next;
            }
        });
    }
}
