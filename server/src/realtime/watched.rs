//! `Watched`: one topic that somebody on this node listens to, waits at, or has just left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use shared::{
    Event, EventPage, Feed, Identity, Listed, Position, Pull, Seq, ServerFrame, Step, Topic, UserId,
};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::realtime::log::Range;
use crate::realtime::outbox::{Outbox, encode};
use crate::realtime::presence::Presence;
use crate::realtime::sessions::SessionId;
use crate::realtime::tail::{self, Tail};

/// Further behind than this, the hub skips to the head and leaves it to its readers to pull what they lack.
const CATCH_UP_MAX: u64 = tail::EVENTS_MAX as u64;
/// Those who come within so short a time are told who is here together.
const GATHER: Duration = Duration::from_millis(250);

/// One session at one topic.
pub struct Listener {
    /// Where its frames go.
    pub outbox: Arc<Outbox>,
    /// Who it is.
    pub who: Identity,
    /// Whether the others may know.
    pub listed: Listed,
}

/// See the module.
pub struct Watched {
    /// What was delivered so far.
    pub feed: Feed<Arc<Event>>,
    /// Who is pushed what happens.
    pub listeners: BTreeMap<SessionId, Listener>,
    /// Who is here.
    pub presence: Presence,
    /// When the hub is to look at the presence.
    pub due_at: Option<Instant>,
    /// The newest event that was acknowledged to a publisher here: an answer without it would deny what was said.
    pub acked: Option<Position>,
    tail: Tail,
    /// For those who wait by pulling; their number is the number of receivers.
    position: watch::Sender<Option<Position>>,
    /// Listeners that were not told yet who is here.
    newcomers: BTreeSet<SessionId>,
    newcomers_told_at: Option<Instant>,
}

impl Default for Watched {
    fn default() -> Watched {
        Watched {
            feed: Feed::new(CATCH_UP_MAX),
            listeners: BTreeMap::new(),
            presence: Presence::default(),
            due_at: None,
            acked: None,
            tail: Tail::default(),
            position: watch::Sender::new(None),
            newcomers: BTreeSet::new(),
            newcomers_told_at: None,
        }
    }
}

impl Watched {
    /// An event of ours is durable.
    pub fn on_ack(&mut self, at: Position) {
        if self.acked.as_ref().is_none_or(|old| old.epoch != at.epoch || old.seq < at.seq) {
            self.acked = Some(at);
        }
    }

    /// Adds a listener and queues its `head`, unless the first one is still being read.
    pub fn add(&mut self, topic: &Topic, session: SessionId, listener: Listener) {
        if let Some(at) = self.feed.position() {
            listener.outbox.head(topic, head_frame(topic, at));
        }
        match listener.listed {
            Listed::Yes => self.presence.join(session, listener.who.clone()),
            Listed::No => _ = self.presence.leave(session),
        }
        self.listeners.insert(session, listener);
        // Also who asks again, or had a seat here before: its page may have forgotten who else is here.
        self.newcomers.insert(session);
    }

    /// Removes a listener, and tells whose seat is free now. That of one whose connection was lost stays for a while.
    pub fn remove(&mut self, topic: &Topic, session: SessionId, leave: Leave) -> Option<UserId> {
        let freed = match leave {
            Leave::Now => self.presence.leave(session),
            Leave::Lost => {
                self.presence.lose(session, Instant::now());
                None
            }
        };
        self.newcomers.remove(&session);
        if let Some(listener) = self.listeners.remove(&session) {
            listener.outbox.forget(topic);
        }
        freed
    }

    /// Where the topic is, for someone who waits for it to move on.
    pub fn watch(&self) -> watch::Receiver<Option<Position>> {
        self.position.subscribe()
    }

    /// Whether nobody needs it any more.
    pub fn is_idle(&self) -> bool {
        self.listeners.is_empty() && self.presence.is_empty() && self.position.receiver_count() == 0
    }

    /// The page of that range, when memory has it and knows all that was acknowledged here or `heard` elsewhere.
    pub fn page(&self, topic: &Topic, range: &Range, heard: Seq) -> Option<EventPage> {
        let Position { epoch, seq: head } = self.feed.position()?;
        let acked =
            self.acked.as_ref().filter(|acked| acked.epoch == epoch).map_or(Seq::ZERO, |acked| acked.seq);
        if head < acked.max(heard) {
            return None;
        }
        let events = self.tail.read(range, &epoch, head)?;
        Some(EventPage { topic: topic.clone(), epoch, head, events })
    }

    /// Does what the feed says: the one place from which events leave for readers.
    pub fn take(&mut self, topic: &Topic, step: Step<Arc<Event>>) -> Option<Pull> {
        let Some(at) = self.feed.position() else { return step.pull };
        if step.start_over {
            // What lies between the old position and the new one, the readers pull by themselves.
            self.tail.clear();
            step.apply.into_iter().for_each(|event| self.tail.push(event));
            let frame = head_frame(topic, at.clone());
            self.listeners.values().for_each(|listener| listener.outbox.head(topic, frame.clone()));
        } else {
            step.apply.into_iter().for_each(|event| self.deliver(topic, event));
        }
        self.position.send_if_modified(|known| known.replace(at.clone()) != Some(at));
        step.pull
    }

    fn deliver(&mut self, topic: &Topic, event: Arc<Event>) {
        let frame = encode(&EventFrame { event: &event });
        self.listeners.values().for_each(|listener| listener.outbox.offer(topic, &frame));
        self.tail.push(event);
    }

    /// Tells who is here, to those who are to be told by now. Returns when to look again, and whose last seat was
    /// freed.
    pub fn tell_presence(&mut self, topic: &Topic, now: Instant) -> (Option<Instant>, Vec<UserId>) {
        let gone = self.presence.expire(now);
        if self.feed.position().is_none() {
            // The `head` comes first.
            return (Some(now + GATHER), gone);
        }
        let newcomers_at = self.newcomers_told_at.map_or(now, |told_at| told_at + GATHER);
        if self.presence.due_at(now).is_some_and(|due_at| due_at <= now) {
            let frame = self.presence_frame(topic);
            self.listeners.values().for_each(|listener| listener.outbox.presence(topic, frame.clone()));
            self.presence.told(now);
            self.newcomers.clear();
            self.newcomers_told_at = Some(now);
        } else if !self.newcomers.is_empty() && newcomers_at <= now {
            let frame = self.presence_frame(topic);
            for session in std::mem::take(&mut self.newcomers) {
                self.listeners.get(&session).iter().for_each(|new| new.outbox.presence(topic, frame.clone()));
            }
            self.newcomers_told_at = Some(now);
        }
        let newcomers = (!self.newcomers.is_empty()).then_some(newcomers_at);
        let again = [newcomers, self.presence.due_at(now), self.presence.expires_at()];
        (again.into_iter().flatten().min(), gone)
    }

    /// Tells one listener what it is owed, now that it has room.
    pub fn settle(&self, topic: &Topic, session: SessionId, owed: What) {
        let Some(listener) = self.listeners.get(&session) else { return };
        match (owed, self.feed.position()) {
            (What::Presence, _) => listener.outbox.presence(topic, self.presence_frame(topic)),
            (What::Head, Some(at)) => listener.outbox.head(topic, head_frame(topic, at)),
            // Without a position every listener is about to get a head anyway.
            (What::Head, None) => {}
        }
    }

    fn presence_frame(&self, topic: &Topic) -> Bytes {
        let (total, members) = self.presence.members();
        encode(&ServerFrame::Presence { topic: topic.clone(), total, members })
    }
}

/// Why a listener goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// It asked to, or its sign-in ended: the others know at once.
    Now,
    /// Its connection was lost, and may be back soon.
    Lost,
}

/// What a listener may be owed.
#[derive(Debug, Clone, Copy)]
pub enum What {
    /// The topic's newest seq.
    Head,
    /// Who is there.
    Presence,
}

/// [`ServerFrame::Event`], without a copy of the event.
#[derive(Serialize)]
struct EventFrame<'a> {
    event: &'a Event,
}

fn head_frame(topic: &Topic, at: Position) -> Bytes {
    encode(&ServerFrame::Head { topic: topic.clone(), epoch: at.epoch, seq: at.seq })
}

#[cfg(test)]
mod tests {
    use shared::{DisplayName, Epoch, Key, Page, Part, Payload, UserId};

    use super::*;

    fn page(life: &str, seqs: std::ops::RangeInclusive<u64>) -> Page<Arc<Event>> {
        let event = |seq| Event {
            topic: "probe:a".parse().unwrap(),
            seq: Seq(seq),
            at: 0,
            author: Identity { id: UserId("u".into()), name: DisplayName::parse("Ada").unwrap() },
            key: Key::try_from(format!("k{seq}")).unwrap(),
            payload: Payload::of(&format!("{seq} of {life}")).unwrap(),
        };
        let (epoch, head) = (Epoch::try_from(life.to_owned()).unwrap(), Seq(*seqs.end()));
        Page { epoch, head, items: seqs.map(|seq| (Seq(seq), Arc::new(event(seq)))).collect() }
    }

    #[test]
    fn memory_keeps_nothing_of_a_life_of_the_log_that_is_over() {
        let (topic, mut watched) = ("probe:a".parse().unwrap(), Watched::default());
        for (life, seqs) in [("e1", 1..=5), ("e2", 1..=3)] {
            let step = watched.feed.on_page(page(life, seqs));
            assert_eq!(watched.take(&topic, step), None);
        }
        let all = Range { part: Part::After(Seq::ZERO), epoch: None, limit: 9 };
        let told = watched.page(&topic, &all, Seq::ZERO).unwrap();
        let texts: Vec<&str> = told.events.iter().map(|event| event.payload.as_json()).collect();
        assert_eq!(texts, ["\"1 of e2\"", "\"2 of e2\"", "\"3 of e2\""]);
    }
}
