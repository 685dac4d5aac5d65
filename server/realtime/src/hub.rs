//! `Hub`: the topics in use on this node, and who listens to them.
//!
//! It reads each topic with a `Feed`, as a browser does: notices that come in order are delivered, and one that came
//! early makes it read the log once, for all its readers. A frame is encoded once, however many listen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use shared::{
    DisplayName, Event, EventPage, Identity, Listed, Page, Position, Pull, Seq, ServerFrame, Step, Topic,
    UserId,
};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::bus::Notice;
use crate::live_topic::{Leave, LiveTopic, Subscriber};
use crate::log::Heads;
use crate::mailbox::{Debt, encode};
use crate::range::Range;
use crate::sessions::SessionId;

/// Topics whose presence is sent under one hold of the lock.
const PRESENCES_AT_ONCE: usize = 64;

/// All topics in use. Where a method returns a [`Pull`], the caller reads the log and answers with [`Hub::on_page`] or
/// [`Hub::on_pull_failed`].
///
/// There is one lock over all topics. Mailboxes are filled under it, so that a `head` and the events after it reach
/// every reader in one order.
#[derive(Default)]
pub struct Hub {
    topics: Mutex<Topics>,
    presence_changed: Notify,
}

#[derive(Default)]
struct Topics {
    live: BTreeMap<Topic, LiveTopic>,
    /// The topics whose presence is to be looked at, by their `due_at`, the earliest first. A topic that is not due
    /// costs nothing.
    due: BTreeSet<(Instant, Topic)>,
    /// The topics at which a person has a seat.
    seats: BTreeMap<UserId, BTreeSet<Topic>>,
    permissions: Permissions,
}

/// A generation of permissions and names. It is raised whenever a permission may have been revoked or a name changes,
/// and a subscribe that began under an older one must check again.
///
/// Example: Ada subscribes to a topic, and the rule says yes. Before the hub adds her, she is renamed. Her subscribe
/// carries generation 7, the hub is at 8, and so it hands her back to be asked for anew under her new name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions(u64);

impl Hub {
    /// Returns the generation under which a permission is about to be asked for.
    pub fn permissions(&self) -> Permissions {
        self.topics.lock().permissions
    }

    /// Adds a subscriber and queues its `head`, under one lock; every event after that head follows. The first
    /// subscriber of a topic gets its `head` when the hub has read it. Subscribing again queues the `head` again.
    ///
    /// Gives the subscriber back if `asked` is no longer the generation: its permission must be asked for again.
    pub fn subscribe(
        &self,
        topic: &Topic,
        session: SessionId,
        subscriber: Subscriber,
        asked: Permissions,
    ) -> Result<Option<Pull>, Subscriber> {
        let mut topics = self.topics.lock();
        if topics.permissions != asked {
            return Err(subscriber);
        }
        let who = subscriber.who.id.clone();
        let listed = subscriber.listed;
        let live = topics.open(topic);
        live.add(session, subscriber);
        let pull = live.feed.resume().pull;
        match listed {
            Listed::Yes => _ = topics.seats.entry(who).or_default().insert(topic.clone()),
            Listed::No => topics.vacate(&who, topic),
        }
        self.look_now(topics, topic);
        Ok(pull)
    }

    /// Removes a subscriber. A topic that nobody needs is closed.
    pub fn unsubscribe(&self, topic: &Topic, session: SessionId, leave: Leave) {
        let mut topics = self.topics.lock();
        let Some(live) = topics.live.get_mut(topic) else { return };
        let gone = live.remove(session, leave);
        let is_idle = live.is_idle();
        if let Some(who) = gone {
            topics.vacate(&who, topic);
        }
        if is_idle {
            topics.close(topic);
        } else {
            self.look_now(topics, topic);
        }
    }

    /// Keeps a topic open for a waiter, until [`Hub::unwatch`]. The receiver holds `None` until the log is read.
    pub fn watch(&self, topic: &Topic) -> (watch::Receiver<Option<Position>>, Option<Pull>) {
        let mut topics = self.topics.lock();
        let live = topics.open(topic);
        (live.watch(), live.feed.resume().pull)
    }

    /// Closes the topic if it was only open for the waiter that has just dropped its receiver.
    pub fn unwatch(&self, topic: &Topic) {
        let mut topics = self.topics.lock();
        if topics.live.get(topic).is_some_and(LiveTopic::is_idle) {
            topics.close(topic);
        }
    }

    /// Offers a session the frames that its mailbox owes.
    pub fn settle(&self, session: SessionId, debts: &[(Topic, Debt)]) {
        let topics = self.topics.lock();
        for (topic, debt) in debts {
            if let Some(live) = topics.live.get(topic) {
                live.settle(session, *debt);
            }
        }
    }

    /// Notes an event of this node that is durable, before its author is told.
    pub fn on_ack(&self, topic: &Topic, at: Position) {
        if let Some(live) = self.topics.lock().live.get_mut(topic) {
            live.on_ack(at);
        }
    }

    /// Delivers an event that was appended, or asks for what is missing before it.
    pub fn on_notice(&self, notice: Notice) -> Option<Pull> {
        let topic = notice.event.topic.clone();
        self.advance(&topic, |live| live.feed.on_event(&notice.epoch, notice.event.seq, notice.event))
    }

    /// Compares how far these topics were delivered with their heads in the log.
    pub fn on_heads(&self, asked: &[Topic], heads: &Heads) -> Vec<(Topic, Pull)> {
        let mut topics = self.topics.lock();
        let mut pulls = Vec::new();
        for topic in asked {
            let Some(live) = topics.live.get_mut(topic) else { continue };
            let head = heads.heads.get(topic).copied().unwrap_or_default();
            let step = live.feed.on_head(&heads.epoch, head);
            if let Some(pull) = live.take(step) {
                pulls.push((topic.clone(), pull));
            }
        }
        pulls
    }

    /// Takes in the log's answer to a pull.
    pub fn on_page(&self, page: EventPage) -> Option<Pull> {
        let items = page.events.into_iter().map(|event| (event.seq, Arc::new(event))).collect();
        let answer = Page { epoch: page.epoch, head: page.head, items };
        self.advance(&page.topic, |live| live.feed.on_page(answer))
    }

    /// Notes that a pull failed; the next beat asks again.
    pub fn on_pull_failed(&self, topic: &Topic) {
        if let Some(live) = self.topics.lock().live.get_mut(topic) {
            live.feed.on_pull_failed();
        }
    }

    /// Returns a page from memory, if all of it is there and it is not older than what the reader has `heard` of.
    pub fn page(&self, topic: &Topic, range: &Range, heard: Seq) -> Option<EventPage> {
        self.topics.lock().live.get(topic)?.page(range, heard)
    }

    /// Passes a signal on to the other subscribers; it may be lost. False if `from` may not signal there, because only
    /// a listed subscriber may.
    pub fn signal(&self, topic: &Topic, from: SessionId, frame: &ServerFrame) -> bool {
        let frame = encode(frame);
        let topics = self.topics.lock();
        let Some(live) = topics.live.get(topic) else { return false };
        if live.subscribers.get(&from).is_none_or(|sender| sender.listed == Listed::No) {
            return false;
        }
        for (session, subscriber) in &live.subscribers {
            if *session != from {
                subscriber.mailbox.offer_lossy(&frame);
            }
        }
        true
    }

    /// Counts the people who are present for others to see, each once, however many windows they have.
    pub fn online(&self, topic: &Topic) -> u64 {
        self.topics.lock().live.get(topic).map_or(0, |live| live.presence.members().0)
    }

    /// Shows a person's new name wherever they are present, and begins a new generation of [`Permissions`].
    pub fn rename(&self, user: &UserId, name: &DisplayName) {
        let mut topics = self.topics.lock();
        topics.permissions.0 += 1;
        let now = Instant::now();
        for topic in topics.seats.get(user).cloned().unwrap_or_default() {
            if let Some(live) = topics.live.get_mut(&topic) {
                live.presence.rename(user, name);
            }
            topics.look_at(&topic, now);
        }
        drop(topics);
        self.presence_changed.notify_one();
    }

    /// Begins a new generation of [`Permissions`]. Returns the subscribers of `topic`, whose permissions are to be
    /// asked for anew.
    pub fn permissions_changed(&self, topic: &Topic) -> Vec<(SessionId, Identity)> {
        let mut topics = self.topics.lock();
        topics.permissions.0 += 1;
        let Some(live) = topics.live.get(topic) else { return Vec::new() };
        live.subscribers.iter().map(|(session, subscriber)| (*session, subscriber.who.clone())).collect()
    }

    /// Removes the topics from the set that the session is not subscribed to any more.
    pub fn keep_subscribed(&self, topics: &mut BTreeSet<Topic>, session: SessionId) {
        let hub = self.topics.lock();
        topics
            .retain(|topic| hub.live.get(topic).is_some_and(|live| live.subscribers.contains_key(&session)));
    }

    /// True if the topic is in use here.
    pub fn is_live(&self, topic: &Topic) -> bool {
        self.topics.lock().live.contains_key(topic)
    }

    /// Counts the topics in use, and the subscriptions to them.
    pub fn counts(&self) -> (usize, usize) {
        let topics = self.topics.lock();
        let subscriptions = topics.live.values().map(|live| live.subscribers.len()).sum();
        (topics.live.len(), subscriptions)
    }

    /// Returns all topics in use.
    pub fn live_topics(&self) -> Vec<Topic> {
        self.topics.lock().live.keys().cloned().collect()
    }

    /// Sends the presence updates that are due. Returns the time of the next one, or `None` if there is none until
    /// [`Hub::presence_changed`] returns.
    pub fn send_presence(&self, now: Instant) -> Option<Instant> {
        let mut topics = self.topics.lock();
        for topic in topics.take_due(now) {
            let Some(live) = topics.live.get_mut(&topic) else { continue };
            let (next, gone) = live.send_presence(now);
            let is_idle = live.is_idle();
            for who in &gone {
                topics.vacate(who, &topic);
            }
            match next {
                _ if is_idle => topics.close(&topic),
                Some(next) => topics.look_at(&topic, next),
                None => {}
            }
        }
        topics.due.first().map(|(at, _)| *at)
    }

    /// Returns once a presence has changed.
    pub async fn presence_changed(&self) {
        self.presence_changed.notified().await;
    }

    fn advance(&self, topic: &Topic, step: impl FnOnce(&mut LiveTopic) -> Step<Arc<Event>>) -> Option<Pull> {
        let mut topics = self.topics.lock();
        let live = topics.live.get_mut(topic)?;
        let step = step(live);
        live.take(step)
    }

    fn look_now(&self, mut topics: MutexGuard<'_, Topics>, topic: &Topic) {
        topics.look_at(topic, Instant::now());
        drop(topics);
        self.presence_changed.notify_one();
    }
}

impl Topics {
    fn open(&mut self, topic: &Topic) -> &mut LiveTopic {
        self.live.entry(topic.clone()).or_insert_with(|| LiveTopic::new(topic.clone()))
    }

    fn close(&mut self, topic: &Topic) {
        if let Some(due_at) = self.live.remove(topic).and_then(|live| live.due_at) {
            self.due.remove(&(due_at, topic.clone()));
        }
    }

    /// Schedules a look at a topic's presence, at `at` or earlier.
    fn look_at(&mut self, topic: &Topic, at: Instant) {
        let Some(live) = self.live.get_mut(topic) else { return };
        if live.due_at.is_some_and(|due_at| due_at <= at) {
            return;
        }
        if let Some(later) = live.due_at.replace(at) {
            self.due.remove(&(later, topic.clone()));
        }
        self.due.insert((at, topic.clone()));
    }

    /// Takes the topics that are due, up to [`PRESENCES_AT_ONCE`].
    fn take_due(&mut self, now: Instant) -> Vec<Topic> {
        let mut taken = Vec::new();
        while taken.len() < PRESENCES_AT_ONCE
            && let Some((at, topic)) = self.due.pop_first()
        {
            if at > now {
                self.due.insert((at, topic));
                break;
            }
            if let Some(live) = self.live.get_mut(&topic) {
                live.due_at = None;
            }
            taken.push(topic);
        }
        taken
    }

    /// Forgets that a person has a seat at a topic, unless another of their sessions has one.
    fn vacate(&mut self, who: &UserId, topic: &Topic) {
        if self.live.get(topic).is_some_and(|live| live.presence.has(who)) {
            return;
        }
        if let Some(seats) = self.seats.get_mut(who) {
            seats.remove(topic);
            if seats.is_empty() {
                self.seats.remove(who);
            }
        }
    }
}
