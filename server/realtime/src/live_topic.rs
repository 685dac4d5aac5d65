//! `LiveTopic`: one topic that is in use on this node, by subscribers, by waiters, or by somebody who has just left.

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

use crate::mailbox::{Debt, Mailbox, encode};
use crate::presence::Presence;
use crate::range::Range;
use crate::sessions::SessionId;
use crate::tail::{self, Tail};

/// Further behind than this, the hub skips to the head and leaves it to its readers to pull what they lack.
const CATCH_UP_MAX: u64 = tail::EVENTS_MAX as u64;
/// Subscribers that come within this time get one presence frame between them, not one each.
const NEWCOMERS_PAUSE: Duration = Duration::from_millis(250);

/// The subscription of one session to one topic.
pub struct Subscriber {
    /// The mailbox that its frames go to.
    pub mailbox: Arc<Mailbox>,
    /// The person, under the name that others see.
    pub who: Identity,
    /// Yes if the others see that they are present.
    pub listed: Listed,
}

/// One topic in use: how far it was delivered, to whom, and who is present.
pub struct LiveTopic {
    /// Reads the topic as a browser does.
    pub feed: Feed<Arc<Event>>,
    /// The sessions that get frames.
    pub subscribers: BTreeMap<SessionId, Subscriber>,
    /// The people who are present.
    pub presence: Presence,
    /// The time at which the hub looks at the presence again, if it is to.
    pub due_at: Option<Instant>,
    topic: Topic,
    /// The newest event that was acknowledged to its author on this node. A page from memory must include it.
    acked: Option<Position>,
    tail: Tail,
    /// The position that waiters are told. The number of waiters is the number of receivers.
    position: watch::Sender<Option<Position>>,
    /// Subscribers that have had no presence frame yet.
    newcomers: BTreeSet<SessionId>,
    newcomers_told_at: Option<Instant>,
}

impl LiveTopic {
    /// Creates the topic with nobody in it, and without a position until the log is read.
    pub fn new(topic: Topic) -> LiveTopic {
        LiveTopic {
            feed: Feed::new(CATCH_UP_MAX),
            subscribers: BTreeMap::new(),
            presence: Presence::default(),
            due_at: None,
            topic,
            acked: None,
            tail: Tail::default(),
            position: watch::Sender::new(None),
            newcomers: BTreeSet::new(),
            newcomers_told_at: None,
        }
    }

    /// Notes the position of an event that was published on this node and is durable.
    pub fn on_ack(&mut self, at: Position) {
        if self.acked.as_ref().is_none_or(|old| old.epoch != at.epoch || old.seq < at.seq) {
            self.acked = Some(at);
        }
    }

    /// Adds a subscriber and queues its `head`, unless the topic's first page is still being read.
    pub fn add(&mut self, session: SessionId, subscriber: Subscriber) {
        if let Some(at) = self.feed.position() {
            subscriber.mailbox.offer_newest(&self.topic, Debt::Head, self.head_frame(at));
        }
        match subscriber.listed {
            Listed::Yes => self.presence.join(session, subscriber.who.clone()),
            Listed::No => _ = self.presence.leave(session),
        }
        self.subscribers.insert(session, subscriber);
        // A session that subscribes again is a newcomer too: its page may have forgotten who is present.
        self.newcomers.insert(session);
    }

    /// Removes a subscriber. Returns the person whose seat became free; a lost connection keeps its seat for a while.
    pub fn remove(&mut self, session: SessionId, leave: Leave) -> Option<UserId> {
        let freed = match leave {
            Leave::Now => self.presence.leave(session),
            Leave::Lost => {
                self.presence.lose(session, Instant::now());
                None
            }
        };
        self.newcomers.remove(&session);
        if let Some(subscriber) = self.subscribers.remove(&session) {
            subscriber.mailbox.cancel_debts(&self.topic);
        }
        freed
    }

    /// Adds a waiter: a receiver of the topic's position, which is `None` until the log is read.
    pub fn watch(&self) -> watch::Receiver<Option<Position>> {
        self.position.subscribe()
    }

    /// True if nobody needs the topic any more.
    pub fn is_idle(&self) -> bool {
        self.subscribers.is_empty() && self.presence.is_empty() && self.position.receiver_count() == 0
    }

    /// Returns the page of that range, if memory holds it and knows everything that was acknowledged on this node or
    /// that the reader has `heard` of elsewhere.
    pub fn page(&self, range: &Range, heard: Seq) -> Option<EventPage> {
        let Position { epoch, seq: head } = self.feed.position()?;
        let acked = match &self.acked {
            Some(acked) if acked.epoch == epoch => acked.seq,
            _ => Seq::ZERO,
        };
        if head < acked.max(heard) {
            return None;
        }
        let events = self.tail.read(range, &epoch, head)?;
        Some(EventPage { topic: self.topic.clone(), epoch, head, events })
    }

    /// Carries out a step of the feed: delivers its events, or tells every subscriber the new head. Returns the read of
    /// the log that the feed still needs.
    pub fn take(&mut self, step: Step<Arc<Event>>) -> Option<Pull> {
        let Some(at) = self.feed.position() else { return step.pull };
        if step.start_over {
            // Readers pull by themselves what lies between the old position and the new one.
            self.tail.clear();
            for event in step.apply {
                self.tail.push(event);
            }
            let frame = self.head_frame(at.clone());
            for subscriber in self.subscribers.values() {
                subscriber.mailbox.offer_newest(&self.topic, Debt::Head, frame.clone());
            }
        } else {
            for event in step.apply {
                self.deliver(event);
            }
        }
        self.position.send_if_modified(|known| known.replace(at.clone()) != Some(at));
        step.pull
    }

    fn deliver(&mut self, event: Arc<Event>) {
        let frame = encode(&EventFrame { event: &event });
        for subscriber in self.subscribers.values() {
            subscriber.mailbox.offer(&self.topic, &frame);
        }
        self.tail.push(event);
    }

    /// Sends the presence frames that are due. Returns when the next one is, and the people whose last seat was freed.
    ///
    /// There are two timers. A change of presence goes to all subscribers, at most once in [`Presence::due_at`]'s pause.
    /// A subscriber that came since gets the same frame alone, within [`NEWCOMERS_PAUSE`]: in a topic of 1,000 people
    /// the pause is 5 s, and a new page must not show an empty list for so long.
    pub fn send_presence(&mut self, now: Instant) -> (Option<Instant>, Vec<UserId>) {
        let gone = self.presence.expire(now);
        if self.feed.position().is_none() {
            // The `head` comes first.
            return (Some(now + NEWCOMERS_PAUSE), gone);
        }
        let newcomers_at = self.newcomers_told_at.map_or(now, |told_at| told_at + NEWCOMERS_PAUSE);
        if self.presence.due_at(now).is_some_and(|due_at| due_at <= now) {
            self.offer_presence(self.subscribers.values());
            self.presence.told(now);
            self.newcomers.clear();
            self.newcomers_told_at = Some(now);
        } else if !self.newcomers.is_empty() && newcomers_at <= now {
            let newcomers = std::mem::take(&mut self.newcomers);
            self.offer_presence(newcomers.iter().filter_map(|session| self.subscribers.get(session)));
            self.newcomers_told_at = Some(now);
        }
        let newcomers = (!self.newcomers.is_empty()).then_some(newcomers_at);
        let next = [newcomers, self.presence.due_at(now), self.presence.expires_at()];
        (next.into_iter().flatten().min(), gone)
    }

    fn offer_presence<'a>(&self, to: impl Iterator<Item = &'a Subscriber>) {
        let frame = self.presence_frame();
        for subscriber in to {
            subscriber.mailbox.offer_newest(&self.topic, Debt::Presence, frame.clone());
        }
    }

    /// Offers a subscriber the frame that its mailbox owes, now that there is room.
    pub fn settle(&self, session: SessionId, debt: Debt) {
        let Some(subscriber) = self.subscribers.get(&session) else { return };
        let frame = match (debt, self.feed.position()) {
            (Debt::Presence, _) => self.presence_frame(),
            (Debt::Head, Some(at)) => self.head_frame(at),
            // Every subscriber gets a head once there is a position.
            (Debt::Head, None) => return,
        };
        subscriber.mailbox.offer_newest(&self.topic, debt, frame);
    }

    fn head_frame(&self, at: Position) -> Bytes {
        encode(&ServerFrame::Head { topic: self.topic.clone(), epoch: at.epoch, seq: at.seq })
    }

    fn presence_frame(&self) -> Bytes {
        let (total, members) = self.presence.members();
        encode(&ServerFrame::Presence { topic: self.topic.clone(), total, members })
    }
}

/// The way in which a subscriber leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// It unsubscribed, or its sign-in ended: the others see it at once.
    Now,
    /// Its connection was lost, and may be back soon.
    Lost,
}

/// [`ServerFrame::Event`] with a borrowed event, which saves a copy.
#[derive(Serialize)]
struct EventFrame<'a> {
    event: &'a Event,
}

#[cfg(test)]
mod tests {
    use shared::{DisplayName, Epoch, Key, Page, Part, Payload, UserId};

    use super::*;

    fn page(epoch: &str, seqs: std::ops::RangeInclusive<u64>) -> Page<Arc<Event>> {
        let event = |seq| Event {
            topic: "probe:a".parse().unwrap(),
            seq: Seq(seq),
            at: 0,
            author: Identity { id: UserId("u".into()), name: DisplayName::parse("Ada").unwrap() },
            key: Key::try_from(format!("k{seq}")).unwrap(),
            payload: Payload::of(&format!("{seq} of {epoch}")).unwrap(),
        };
        let head = Seq(*seqs.end());
        let items = seqs.map(|seq| (Seq(seq), Arc::new(event(seq)))).collect();
        Page { epoch: Epoch::try_from(epoch.to_owned()).unwrap(), head, items }
    }

    #[test]
    fn memory_keeps_nothing_of_an_epoch_that_is_over() {
        let mut live = LiveTopic::new("probe:a".parse().unwrap());
        for (epoch, seqs) in [("e1", 1..=5), ("e2", 1..=3)] {
            let step = live.feed.on_page(page(epoch, seqs));
            assert_eq!(live.take(step), None);
        }
        let all = Range { part: Part::After(Seq::ZERO), epoch: None, limit: 9 };
        let page = live.page(&all, Seq::ZERO).unwrap();
        let texts: Vec<&str> = page.events.iter().map(|event| event.payload.as_json()).collect();
        assert_eq!(texts, ["\"1 of e2\"", "\"2 of e2\"", "\"3 of e2\""]);
    }
}
