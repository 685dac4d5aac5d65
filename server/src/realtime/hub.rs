//! `Hub`: who on this node listens to what.
//!
//! It reads each watched topic with a `Feed`, as a browser does: notices that come in order are delivered, one
//! that came early makes it read the log once, for all its readers. A frame is encoded once, however many listen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use shared::{
    DisplayName, EventPage, Identity, Listed, Page, Position, Pull, Seq, ServerFrame, Step, Topic, UserId,
};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::realtime::bus::Notice;
use crate::realtime::log::{Heads, Range};
use crate::realtime::outbox::encode;
use crate::realtime::sessions::SessionId;
use crate::realtime::watched::{Leave, Listener, Watched, What};

/// See the module. One lock over all topics; outboxes are filled under it, so that a `head` and the events after
/// it reach every reader in one order.
#[derive(Default)]
pub struct Hub {
    topics: Mutex<Topics>,
    stirred: Notify,
}

#[derive(Default)]
struct Topics {
    watched: BTreeMap<Topic, Watched>,
    /// When each topic whose presence has something to tell, or somebody to wait for, is to be looked at: its
    /// `due_at`, the earliest first. What is not due yet costs nothing.
    due: BTreeSet<(Instant, Topic)>,
    /// The topics at which a person has a seat.
    places: BTreeMap<UserId, BTreeSet<Topic>>,
    /// How often a permission ended or a name changed: what was asked before the last time is to be asked again.
    permissions: u64,
}

/// So many topics are told of their presence under one hold of the lock.
const TOLD_AT_ONCE: usize = 64;

/// A read of the log that the hub asks for. Answer it with [`Hub::on_page`] or [`Hub::on_pull_failed`].
pub type Wanted = Option<Pull>;

/// A state of all permissions; see [`Hub::subscribe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions(u64);

impl Hub {
    /// What a permission was asked for under.
    pub fn permissions(&self) -> Permissions {
        Permissions(self.lock().permissions)
    }

    /// Adds a listener and queues its `head`, under one lock; every event after that head follows. The first
    /// listener of a topic gets its `head` when the hub has read it. Asking again gives the `head` again. Gives
    /// the listener back when a permission has ended since `asked`: then its own must be asked again.
    pub fn subscribe(
        &self,
        topic: &Topic,
        session: SessionId,
        listener: Listener,
        asked: Permissions,
    ) -> Result<Wanted, Listener> {
        let mut topics = self.lock();
        if topics.permissions != asked.0 {
            return Err(listener);
        }
        let (who, listed) = (listener.who.id.clone(), listener.listed);
        let watched = topics.watched.entry(topic.clone()).or_default();
        watched.add(topic, session, listener);
        let wanted = watched.feed.resume().pull;
        match listed {
            Listed::Yes => _ = topics.places.entry(who).or_default().insert(topic.clone()),
            Listed::No => topics.vacate(&who, topic),
        }
        self.stir(topics, topic);
        Ok(wanted)
    }

    /// Removes a listener. A topic that nobody needs is no longer watched.
    pub fn unsubscribe(&self, topic: &Topic, session: SessionId, leave: Leave) {
        let mut topics = self.lock();
        let Some(watched) = topics.watched.get_mut(topic) else { return };
        let who = watched.remove(topic, session, leave);
        let is_idle = watched.is_idle();
        who.iter().for_each(|who| topics.vacate(who, topic));
        if is_idle {
            topics.forget(topic);
        } else {
            self.stir(topics, topic);
        }
    }

    /// Keeps a topic watched for one who waits by pulling, until [`Hub::unwatch`].
    pub fn watch(&self, topic: &Topic) -> (watch::Receiver<Option<Position>>, Wanted) {
        let mut topics = self.lock();
        let watched = topics.watched.entry(topic.clone()).or_default();
        (watched.watch(), watched.feed.resume().pull)
    }

    /// One who waited is gone, and so is its receiver.
    pub fn unwatch(&self, topic: &Topic) {
        let mut topics = self.lock();
        if topics.watched.get(topic).is_some_and(Watched::is_idle) {
            topics.forget(topic);
        }
    }

    /// Tells a listener what it is owed; after a `head` it hears events again.
    pub fn settle(&self, topic: &Topic, session: SessionId, owed: What) {
        if let Some(watched) = self.lock().watched.get(topic) {
            watched.settle(topic, session, owed);
        }
    }

    /// An event of ours is durable, and its author is about to know.
    pub fn on_ack(&self, topic: &Topic, at: Position) {
        if let Some(watched) = self.lock().watched.get_mut(topic) {
            watched.on_ack(at);
        }
    }

    /// Delivers what was appended, or asks for what is missing before it.
    pub fn on_notice(&self, notice: Notice) -> Wanted {
        let topic = notice.event.topic.clone();
        self.take(&topic, |watched| watched.feed.on_event(&notice.epoch, notice.event.seq, notice.event))
    }

    /// Compares what was delivered of these topics with what the log has of them.
    pub fn on_heads(&self, asked: &[Topic], heads: &Heads) -> Vec<(Topic, Pull)> {
        let mut topics = self.lock();
        let mut wanted = Vec::new();
        for topic in asked {
            let Some(watched) = topics.watched.get_mut(topic) else { continue };
            let head = heads.heads.get(topic).copied().unwrap_or_default();
            let step = watched.feed.on_head(&heads.epoch, head);
            wanted.extend(watched.take(topic, step).map(|pull| (topic.clone(), pull)));
        }
        wanted
    }

    /// The log's answer to a pull.
    pub fn on_page(&self, page: EventPage) -> Wanted {
        let items = page.events.into_iter().map(|event| (event.seq, Arc::new(event))).collect();
        let answer = Page { epoch: page.epoch, head: page.head, items };
        self.take(&page.topic, |watched| watched.feed.on_page(answer))
    }

    /// The pull came to nothing; the next beat asks again.
    pub fn on_pull_failed(&self, topic: &Topic) {
        if let Some(watched) = self.lock().watched.get_mut(topic) {
            watched.feed.on_pull_failed();
        }
    }

    /// A page from memory, when it is all there and not older than what was `heard` of.
    pub fn page(&self, topic: &Topic, range: &Range, heard: Seq) -> Option<EventPage> {
        self.lock().watched.get(topic)?.page(topic, range, heard)
    }

    /// Passes a word on to the others who listen; it may be lost. Says whether `from` may speak there: only who
    /// is listed may.
    pub fn signal(&self, topic: &Topic, from: SessionId, frame: &ServerFrame) -> bool {
        let frame = encode(frame);
        let topics = self.lock();
        let Some(watched) = topics.watched.get(topic) else { return false };
        if watched.listeners.get(&from).is_none_or(|listener| listener.listed == Listed::No) {
            return false;
        }
        let others = watched.listeners.iter().filter(|(id, _)| **id != from);
        others.for_each(|(_, listener)| listener.outbox.offer_once(&frame));
        true
    }

    /// How many people are there for others to see, whatever the number of their windows.
    pub fn online(&self, topic: &Topic) -> u64 {
        self.lock().watched.get(topic).map_or(0, |watched| watched.presence.members().0)
    }

    /// Shows somebody's new name wherever they are. Who is on the way in under the old one asks again.
    pub fn rename(&self, user: &UserId, name: &DisplayName) {
        let mut topics = self.lock();
        topics.permissions += 1;
        let now = Instant::now();
        for topic in topics.places.get(user).cloned().unwrap_or_default() {
            if let Some(watched) = topics.watched.get_mut(&topic) {
                watched.presence.rename(user, name);
            }
            topics.look_at(&topic, now);
        }
        drop(topics);
        self.stirred.notify_one();
    }

    /// From here on no permission that was asked for earlier is good. Those who listen to `topic` now are to be
    /// asked for anew.
    pub fn permissions_changed(&self, topic: &Topic) -> Vec<(SessionId, Identity)> {
        let mut topics = self.lock();
        topics.permissions += 1;
        let listeners = topics.watched.get(topic).into_iter().flat_map(|watched| &watched.listeners);
        listeners.map(|(session, listener)| (*session, listener.who.clone())).collect()
    }

    /// Keeps of these topics those that a session still listens to.
    pub fn keep_listened(&self, topics: &mut BTreeSet<Topic>, session: SessionId) {
        let hub = self.lock();
        let listens = |watched: &Watched| watched.listeners.contains_key(&session);
        topics.retain(|topic| hub.watched.get(topic).is_some_and(listens));
    }

    /// Whether anybody here needs a topic.
    pub fn is_watching(&self, topic: &Topic) -> bool {
        self.lock().watched.contains_key(topic)
    }

    /// How many topics are watched, and how many subscriptions there are to them.
    pub fn counts(&self) -> (usize, usize) {
        let topics = self.lock();
        (topics.watched.len(), topics.watched.values().map(|watched| watched.listeners.len()).sum())
    }

    /// The topics that somebody here listens to.
    pub fn watched(&self) -> Vec<Topic> {
        self.lock().watched.keys().cloned().collect()
    }

    /// Tells who is where, as far as it is time to. Returns when to do it again; nothing until [`Hub::stirred`].
    pub fn tell_presence(&self, now: Instant) -> Option<Instant> {
        let mut topics = self.lock();
        for topic in topics.take_due(now) {
            let Some(watched) = topics.watched.get_mut(&topic) else { continue };
            let (again, gone) = watched.tell_presence(&topic, now);
            let is_idle = watched.is_idle();
            gone.iter().for_each(|who| topics.vacate(who, &topic));
            match again {
                _ if is_idle => topics.forget(&topic),
                Some(again) => topics.look_at(&topic, again),
                None => {}
            }
        }
        topics.due.first().map(|(at, _)| *at)
    }

    /// Returns when a presence has changed.
    pub async fn stirred(&self) {
        self.stirred.notified().await;
    }

    fn take(&self, topic: &Topic, ask: impl FnOnce(&mut Watched) -> Step<Arc<shared::Event>>) -> Wanted {
        let mut topics = self.lock();
        let watched = topics.watched.get_mut(topic)?;
        let step = ask(watched);
        watched.take(topic, step)
    }

    fn stir(&self, mut topics: MutexGuard<'_, Topics>, topic: &Topic) {
        topics.look_at(topic, Instant::now());
        drop(topics);
        self.stirred.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Topics> {
        self.topics.lock().expect("no code panics while it holds this lock")
    }
}

impl Topics {
    /// Has the presence of a topic looked at, then or earlier.
    fn look_at(&mut self, topic: &Topic, at: Instant) {
        let Some(watched) = self.watched.get_mut(topic) else { return };
        if watched.due_at.is_some_and(|due_at| due_at <= at) {
            return;
        }
        if let Some(later) = watched.due_at.replace(at) {
            self.due.remove(&(later, topic.clone()));
        }
        self.due.insert((at, topic.clone()));
    }

    /// Those that are due, but not too many at once.
    fn take_due(&mut self, now: Instant) -> Vec<Topic> {
        let mut taken = Vec::new();
        while taken.len() < TOLD_AT_ONCE
            && let Some((at, topic)) = self.due.pop_first()
        {
            if at > now {
                self.due.insert((at, topic));
                break;
            }
            self.watched.get_mut(&topic).into_iter().for_each(|watched| watched.due_at = None);
            taken.push(topic);
        }
        taken
    }

    /// Notes that a person may have no seat at a topic any more.
    fn vacate(&mut self, who: &UserId, topic: &Topic) {
        if self.watched.get(topic).is_some_and(|watched| watched.presence.has(who)) {
            return;
        }
        if let Some(places) = self.places.get_mut(who) {
            places.remove(topic);
            if places.is_empty() {
                self.places.remove(who);
            }
        }
    }

    /// A topic that nobody needs is no longer watched.
    fn forget(&mut self, topic: &Topic) {
        if let Some(due_at) = self.watched.remove(topic).and_then(|watched| watched.due_at) {
            self.due.remove(&(due_at, topic.clone()));
        }
    }
}
