//! `Node`: this process's part in the realtime system, and all that HTTP and the features ask of it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use shared::{
    DisplayName, EventPage, Identity, Key, Millis, Payload, Position, Pull, Seq, ServerFrame, SessionLimits,
    Topic, UserId,
};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::{Access, AccessRule, SignInId};
use crate::bus::Bus;
use crate::error::{PublishError, ReadError, SubscribeError};
use crate::hub::{Hub, Permissions};
use crate::live_topic::{Leave, Subscriber};
use crate::log::{Appended, Draft, EventLog, Heads, HeadsOf, LogError};
use crate::mailbox::encode;
use crate::metrics::CoreMetrics;
use crate::publisher::Publisher;
use crate::range::Range;
use crate::sessions::{SessionId, Sessions};
use crate::spawn::uncancelled;
use crate::tail;
use crate::write_probe::WriteProbe;

/// A log that takes longer to read or write is not ready for clients.
const TRIAL_TIMEOUT: Duration = Duration::from_secs(5);
/// Reads of the log that the hub has under way at a time, over all topics.
const PULLS_MAX: usize = 16;
/// Events that the hub reads at a time, also when it opens a topic: they become its tail.
const PAGE_MAX: u32 = tail::EVENTS_MAX as u32;

/// The parts that a node is made of. Clock and name come from outside, so that a test can choose them.
pub struct NodeDeps {
    /// The name of this process.
    pub name: String,
    /// The name of the client build that this node serves.
    pub build: String,
    /// The durable truth.
    pub log: Arc<dyn EventLog>,
    /// The link to the other nodes.
    pub bus: Arc<dyn Bus>,
    /// One access rule for each namespace.
    pub rules: Vec<(&'static str, Arc<dyn AccessRule>)>,
    /// The limits of the node and of its sessions.
    pub limits: NodeLimits,
    /// The wall clock.
    pub clock: fn() -> Millis,
}

/// The limits of a node and of its sessions. Each field says what happens beyond it.
#[derive(Debug, Clone)]
pub struct NodeLimits {
    /// The limits that a client is told in its `welcome`.
    pub session: SessionLimits,
    /// Frames that wait for one socket. Events that do not fit are read from the log later.
    pub mailbox_frames_max: usize,
    /// Bytes that wait for one socket. Events that do not fit are read from the log later.
    pub mailbox_bytes_max: usize,
    /// Seconds between two pings to a client.
    pub heartbeat_secs: u32,
}

/// One process of the realtime system. Start it with [`Node::start`].
pub struct Node {
    pub(crate) name: String,
    pub(crate) build: String,
    pub(crate) limits: NodeLimits,
    pub(crate) hub: Hub,
    pub(crate) sessions: Sessions,
    pub(crate) write_probe: Arc<WriteProbe>,
    pub(crate) metrics: Arc<CoreMetrics>,
    log: Arc<dyn EventLog>,
    access: Access,
    publisher: Publisher,
    clock: fn() -> Millis,
    pulls: Semaphore,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Node {
    /// Creates a node whose tasks do not run yet; [`Node::start`] spawns them.
    pub(crate) fn new(deps: NodeDeps, publisher: Publisher) -> Node {
        let NodeDeps { name, build, log, bus: _, rules, limits, clock } = deps;
        Node {
            name,
            build,
            limits,
            hub: Hub::default(),
            sessions: Sessions::default(),
            write_probe: Arc::default(),
            metrics: Arc::default(),
            log,
            access: Access::new(rules),
            publisher,
            clock,
            pulls: Semaphore::new(PULLS_MAX),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Publishes one event, and returns once it is durable. A caller that stops waiting changes nothing: the event is
    /// appended all the same.
    pub async fn publish(
        &self,
        topic: Topic,
        author: Identity,
        key: Key,
        payload: Payload,
    ) -> Result<Appended, PublishError> {
        let bytes_max = self.limits.session.payload_bytes_max;
        if payload.as_json().len() > bytes_max as usize {
            return Err(PublishError::TooLarge { bytes_max });
        }
        let at = self.now();
        let appended = self.publisher.publish(Draft { topic, author, key, at, payload }).await?;
        let at = Position { epoch: appended.epoch.clone(), seq: appended.event.seq };
        self.hub.on_ack(&appended.event.topic, at);
        Ok(appended)
    }

    /// Reads a part of a topic without asking for permission, mostly from memory.
    ///
    /// The page is never older than what was acknowledged on this node, or than what the reader has `heard` of. A page
    /// for a person is [`Node::page_for`].
    pub async fn page(&self, topic: &Topic, range: Range, heard: Seq) -> Result<EventPage, LogError> {
        if let Some(page) = self.hub.page(topic, &range, heard) {
            self.metrics.pulls_from_memory.inc();
            return Ok(page);
        }
        self.metrics.pulls_from_log.inc();
        self.log.read(topic, range).await
    }

    /// Reads the page for a person who may read it.
    ///
    /// The rule is asked before the read and again after it: a read may outlast a permission, and then holds events
    /// that came after its end.
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

    /// Reads the newest seq of the topics asked for.
    pub async fn heads(&self, of: HeadsOf<'_>) -> Result<Heads, LogError> {
        self.metrics.pulls_from_log.inc();
        self.log.heads(of).await
    }

    /// True if the log takes writes now. The last write tells, unless it is long ago: then one is tried, for five seconds.
    pub async fn can_write(&self) -> bool {
        tokio::time::timeout(TRIAL_TIMEOUT, self.write_probe.check(&*self.log)).await.unwrap_or(false)
    }

    /// True if a trial read of the log succeeds within five seconds.
    pub async fn can_read(&self) -> bool {
        let read = tokio::time::timeout(TRIAL_TIMEOUT, self.log.try_read()).await;
        let read = read.unwrap_or_else(|_| Err(LogError("it takes too long".into())));
        read.inspect_err(|error| tracing::error!(%error, "the log cannot be read")).is_ok()
    }

    /// Asks the access rule of the topic's feature, now.
    pub async fn may_read(&self, who: &Identity, topic: &Topic) -> Result<(), SubscribeError> {
        self.access.check(who, topic).await
    }

    /// Counts the people who are present at a topic of this node, for others to see.
    pub fn online(&self, topic: &Topic) -> u64 {
        self.hub.online(topic)
    }

    /// Shows a person's new name to the others at once.
    pub fn rename(&self, user: &UserId, name: &DisplayName) {
        self.sessions.rename(user, name);
        self.hub.rename(user, name);
    }

    /// Asks the access rule of `topic` anew for everyone who is subscribed. Those who may no longer read are told, and
    /// get nothing more. Call it after the rule has changed.
    pub async fn permissions_changed(self: &Arc<Self>, topic: &Topic) {
        let subscribers = self.hub.permissions_changed(topic);
        // All at once: while the rule is asked for one, the others still hear what is published.
        let checks = subscribers
            .into_iter()
            .map(|(session, who)| self.clone().recheck_subscriber(topic.clone(), session, who));
        uncancelled(join_all(checks.collect::<Vec<_>>())).await;
    }

    async fn recheck_subscriber(self: Arc<Self>, topic: Topic, session: SessionId, who: Identity) {
        let Err(error) = self.may_read(&who, &topic).await else { return };
        self.hub.unsubscribe(&topic, session, Leave::Now);
        if let Some(mailbox) = self.sessions.mailbox(session) {
            mailbox.answer(encode(&ServerFrame::Refused { topic, problem: error.problem() }));
        }
    }

    /// The wall clock's time.
    pub(crate) fn now(&self) -> Millis {
        (self.clock)()
    }

    /// The counters since the start.
    pub fn metrics(&self) -> &CoreMetrics {
        &self.metrics
    }

    /// The number of publishes that wait for the log.
    pub(crate) fn publishes_waiting(&self) -> usize {
        self.publisher.waiting()
    }

    /// The number of open sessions.
    pub fn sessions_open(&self) -> usize {
        self.sessions.count()
    }

    /// Closes every session of a sign-in that has ended.
    pub fn end_sign_in(&self, sign_in: SignInId) {
        self.sessions.end(sign_in);
    }

    /// Closes the newest sessions of an address because memory is short, and keeps the oldest `keep` of them. Returns
    /// how many it closed.
    pub fn shed(&self, from: IpAddr, keep: usize) -> usize {
        self.sessions.shed(from, keep)
    }

    /// Closes the newest tenth of all sessions because memory is short. Returns how many it closed.
    pub fn shed_newest(&self) -> usize {
        self.sessions.shed_newest()
    }

    /// Counts the sessions of each address, without those that are being closed.
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

    /// Ends the node's tasks. Publishes that were accepted before are appended first.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Adds a subscriber to the hub, which may have to read the topic first; see [`Hub::subscribe`].
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        topic: &Topic,
        session: SessionId,
        subscriber: Subscriber,
        asked: Permissions,
    ) -> Result<(), Subscriber> {
        let pull = self.hub.subscribe(topic, session, subscriber, asked)?;
        self.pull_for_hub(topic.clone(), pull);
        Ok(())
    }

    /// Returns the position of a topic as it moves; see [`Hub::watch`].
    pub(crate) fn watch(self: &Arc<Self>, topic: &Topic) -> watch::Receiver<Option<Position>> {
        let (position, pull) = self.hub.watch(topic);
        self.pull_for_hub(topic.clone(), pull);
        position
    }

    /// Reads the log for the hub, in a task of its own, until the hub has what it lacks.
    pub(crate) fn pull_for_hub(self: &Arc<Self>, topic: Topic, pull: Option<Pull>) {
        let Some(mut pull) = pull else { return };
        let node = self.clone();
        self.tasks.spawn(async move {
            let _permit = node.pulls.acquire().await;
            // The readers who needed it may have gone meanwhile.
            while node.hub.is_live(&topic) && !node.stop.is_cancelled() {
                node.metrics.pulls_from_log.inc();
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
