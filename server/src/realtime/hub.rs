//! `Hub`: who on this node listens to what.
//!
//! It reads each watched topic with a `Feed`, as a browser does: notices that come in order are delivered, one
//! that came early makes it read the log once, for all its readers. A frame is encoded once, however many listen.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use shared::{Event, EventPage, Feed, Listed, Position, Pull, ServerFrame, Step, Topic, UserId};

use crate::realtime::bus::Notice;
use crate::realtime::log::Heads;
use crate::realtime::outbox::{Outbox, encode};
use crate::realtime::sessions::SessionId;

/// Further behind than this, the hub skips to the head and leaves it to its readers to pull what they lack.
const CATCH_UP_MAX: u64 = 500;

/// See the module. One lock over all topics; outboxes are filled under it, so that a `head` and the events after
/// it reach every reader in one order.
#[derive(Default)]
pub struct Hub {
    topics: Mutex<BTreeMap<Topic, Watched>>,
}

/// A topic that somebody here listens to.
struct Watched {
    feed: Feed<Arc<Event>>,
    listeners: BTreeMap<SessionId, Listener>,
}

/// One session at one topic.
pub struct Listener {
    /// Where its frames go.
    pub outbox: Arc<Outbox>,
    /// Who it is.
    pub who: UserId,
    /// Whether the others may know.
    pub listed: Listed,
}

/// A read of the log that the hub asks for. Answer it with [`Hub::on_page`] or [`Hub::on_pull_failed`].
pub type Wanted = Option<Pull>;

impl Hub {
    /// Adds a listener and queues its `head`, under one lock; every event after that head follows. The first
    /// listener of a topic gets its `head` when the hub has read it. Asking again gives the `head` again.
    pub fn subscribe(&self, topic: &Topic, session: SessionId, listener: Listener) -> Wanted {
        let mut topics = self.lock();
        let watched = match topics.entry(topic.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                entry.insert(Watched { feed: Feed::new(CATCH_UP_MAX), listeners: BTreeMap::new() })
            }
        };
        if let Some(at) = watched.feed.position() {
            listener.outbox.head(topic, head_frame(topic, at));
        }
        watched.listeners.insert(session, listener);
        watched.feed.resume().pull
    }

    /// Removes a listener. A topic without listeners is no longer watched.
    pub fn unsubscribe(&self, topic: &Topic, session: SessionId) {
        let mut topics = self.lock();
        let Some(watched) = topics.get_mut(topic) else { return };
        if let Some(listener) = watched.listeners.remove(&session) {
            listener.outbox.forget(topic);
        }
        if watched.listeners.is_empty() {
            topics.remove(topic);
        }
    }

    /// Tells a listener that was behind where the topic stands by now; from there on it hears events again.
    pub fn tell_head(&self, topic: &Topic, session: SessionId) {
        let topics = self.lock();
        let Some(watched) = topics.get(topic) else { return };
        // Without a position every listener is about to get a head anyway.
        if let (Some(listener), Some(at)) = (watched.listeners.get(&session), watched.feed.position()) {
            listener.outbox.head(topic, head_frame(topic, at));
        }
    }

    /// Delivers what was appended, or asks for what is missing before it.
    pub fn on_notice(&self, notice: Notice) -> Wanted {
        let mut topics = self.lock();
        let topic = notice.event.topic.clone();
        let watched = topics.get_mut(&topic)?;
        let seq = notice.event.seq;
        let step = match watched.feed.position() {
            Some(at) if at.epoch != notice.epoch => watched.feed.on_head(&notice.epoch, seq),
            _ => watched.feed.on_event(seq, notice.event),
        };
        watched.take(&topic, step)
    }

    /// Compares what was delivered with what the log has.
    pub fn on_heads(&self, heads: &Heads) -> Vec<(Topic, Pull)> {
        let mut topics = self.lock();
        let mut wanted = Vec::new();
        for (topic, watched) in topics.iter_mut() {
            let head = heads.heads.get(topic).copied().unwrap_or_default();
            let step = watched.feed.on_head(&heads.epoch, head);
            wanted.extend(watched.take(topic, step).map(|pull| (topic.clone(), pull)));
        }
        wanted
    }

    /// The log's answer to a pull.
    pub fn on_page(&self, page: EventPage) -> Wanted {
        let mut topics = self.lock();
        let topic = page.topic;
        let watched = topics.get_mut(&topic)?;
        let items = page.events.into_iter().map(|event| (event.seq, Arc::new(event))).collect();
        let step = watched.feed.on_page(shared::Page { epoch: page.epoch, head: page.head, items });
        watched.take(&topic, step)
    }

    /// The pull came to nothing; the next beat asks again.
    pub fn on_pull_failed(&self, topic: &Topic) {
        if let Some(watched) = self.lock().get_mut(topic) {
            watched.feed.on_pull_failed();
        }
    }

    /// Passes a word on to the others who listen; it may be lost.
    pub fn signal(&self, topic: &Topic, from: SessionId, frame: &ServerFrame) {
        let frame = encode(frame);
        if let Some(watched) = self.lock().get(topic) {
            let others = watched.listeners.iter().filter(|(id, _)| **id != from);
            others.for_each(|(_, listener)| listener.outbox.offer_once(&frame));
        }
    }

    /// How many people are there for others to see, whatever the number of their windows.
    pub fn online(&self, topic: &Topic) -> usize {
        let topics = self.lock();
        let Some(watched) = topics.get(topic) else { return 0 };
        let listed = watched.listeners.values().filter(|listener| listener.listed == Listed::Yes);
        listed.map(|listener| &listener.who).collect::<BTreeSet<_>>().len()
    }

    /// The topics that somebody here listens to.
    pub fn watched(&self) -> Vec<Topic> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Topic, Watched>> {
        self.topics.lock().expect("no code panics while it holds this lock")
    }
}

impl Watched {
    /// Does what the feed says: the one place from which events leave for readers.
    fn take(&self, topic: &Topic, step: Step<Arc<Event>>) -> Wanted {
        match self.feed.position() {
            // What lies between the old position and the new one, the readers pull by themselves.
            Some(at) if step.start_over => {
                let frame = head_frame(topic, at);
                self.listeners.values().for_each(|listener| listener.outbox.head(topic, frame.clone()));
            }
            _ => step.apply.into_iter().for_each(|event| self.deliver(topic, event)),
        }
        step.pull
    }

    fn deliver(&self, topic: &Topic, event: Arc<Event>) {
        let frame = encode(&ServerFrame::Event(Arc::unwrap_or_clone(event)));
        self.listeners.values().for_each(|listener| listener.outbox.offer(topic, &frame));
    }
}

fn head_frame(topic: &Topic, at: Position) -> Bytes {
    encode(&ServerFrame::Head { topic: topic.clone(), epoch: at.epoch, seq: at.seq })
}
