//! `TopicReader`: one feature's end of one topic, and [`use_topic`], all that a feature needs of this folder.
//!
//! A shared [`Feed`] decides what is applied and when to pull; this file takes its steps. The first page, a
//! gap, a reconnect and a return from sleep are the same path.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;
use shared::{Epoch, Event, EventPage, Feed, Key, Listed, Problem, Pull, Seq, Step, Topic, TopicKind};

use super::listeners::Arrival;
use super::pull::{pull, pull_before};
use super::{Parts, Post, Projection, use_realtime};
use crate::browser;

/// How long after the ack of an own post its event may take, before it is pulled.
const OWN_EVENT_MS_MAX: u64 = 1_000;

/// How the reading goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The first page is on its way.
    Loading,
    /// What is shown is what is known.
    Ready,
    /// Something is missing and could not be had; [`TopicReader::pull_again`] tries once more.
    Trouble(Problem),
}

/// One topic as a feature sees it. Cheap to copy; it ends with the component that asked for it.
pub struct TopicReader<P: Projection> {
    /// What the events amount to.
    pub projection: ReadSignal<P>,
    /// How the reading goes.
    pub reading: ReadSignal<Reading>,
    /// What was posted there from this page and has not come back as an event yet, oldest first.
    pub posts: Memo<Vec<Post>>,
    /// Whether there are events before the oldest one here.
    pub has_older: Memo<bool>,
    reader: StoredValue<Rc<Reader<P>>, LocalStorage>,
}

impl<P: Projection> Clone for TopicReader<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Projection> Copy for TopicReader<P> {}

/// Events that are older than those of a reader, not yet applied.
pub struct OlderPage(EventPage);

/// Reads `topic` for as long as the calling component lives, and shows up in its presence.
pub fn use_topic<P: Projection>(topic: Topic) -> TopicReader<P> {
    let Parts { socket, outbox } = use_realtime().parts();
    let (all_posts, of) = (outbox.posts(), topic.clone());
    let reader = Rc::new(Reader {
        feed: RefCell::new(Feed::new(P::Kind::CATCH_UP_MAX)),
        topic: topic.clone(),
        projection: ArcRwSignal::new(P::default()),
        reading: ArcRwSignal::new(Reading::Loading),
        oldest: ArcRwSignal::new(Seq::ZERO),
        is_over: Cell::new(false),
        parts: Parts { socket: socket.clone(), outbox },
    });
    reader.take(|feed| feed.resume());
    let hearing = reader.clone();
    let id = socket.listen(&topic, Listed::Yes, move |arrival| hearing.hear(arrival));
    let oldest = reader.oldest.clone();
    let posts = move || all_posts.with(|all| all.iter().filter(|post| post.topic == of).cloned().collect());
    let handle = TopicReader {
        projection: reader.projection.read_only().into(),
        reading: reader.reading.read_only().into(),
        posts: Memo::new(move |_| posts()),
        has_older: Memo::new(move |_| oldest.get() > Seq(1)),
        reader: StoredValue::new_local(reader),
    };
    let ending = StoredValue::new_local((handle.reader.get_value(), socket));
    on_cleanup(move || {
        if let Some((reader, socket)) = ending.try_get_value() {
            reader.is_over.set(true);
            socket.unlisten(&topic, id);
        }
    });
    handle
}

impl<P: Projection> TopicReader<P> {
    /// Publishes: posts `body` to `url` until it is settled, whatever the connection does. The post is in
    /// [`TopicReader::posts`] from now until its event has arrived.
    pub fn publish(self, url: String, body: &impl Serialize) -> Result<Key, Problem> {
        let reader = self.reader.get_value();
        reader.parts.outbox.publish(&reader.topic, url, body)
    }

    /// Sends a failed post once more.
    pub fn retry(self, key: &Key) {
        let reader = self.reader.get_value();
        reader.parts.outbox.retry(&reader.topic, key);
    }

    /// Drops a failed post.
    pub fn discard(self, key: &Key) {
        self.reader.get_value().parts.outbox.discard(key);
    }

    /// Tries once more to get what is missing.
    pub fn pull_again(self) {
        let reader = self.reader.get_value();
        reader.reading.set(Reading::Loading);
        if !reader.take(|feed| feed.resume()) {
            reader.reading.set(Reading::Ready);
        }
    }

    /// Gets the page before the oldest event here. Nothing when there is none, or when it no longer fits.
    /// Hand it to [`TopicReader::apply_older`] once the screen is ready for it.
    pub async fn pull_older(self) -> Result<Option<OlderPage>, Problem> {
        let Some(reader) = self.reader.try_get_value() else { return Ok(None) };
        let (oldest, Some(at)) = (reader.oldest.get_untracked(), reader.feed.borrow().position()) else {
            return Ok(None);
        };
        if oldest <= Seq(1) {
            return Ok(None);
        }
        let page = pull_before(&reader.topic, oldest, &at.epoch).await?;
        if page.epoch != at.epoch {
            reader.take(|feed| feed.on_head(&page.epoch, page.head));
            return Ok(None);
        }
        Ok((!reader.is_over.get()).then_some(OlderPage(page)))
    }

    /// Puts a page in front of what is there, where it still fits.
    pub fn apply_older(self, OlderPage(page): OlderPage) {
        let Some(reader) = self.reader.try_get_value() else { return };
        let oldest = reader.oldest.get_untracked();
        let fits = page.events.last().is_some_and(|event| event.seq.next() == oldest);
        let Some(first) = page.events.first().filter(|_| fits) else { return };
        reader.oldest.set(first.seq);
        reader.projection.update(|projection| {
            for event in page.events.iter().rev() {
                if let Some(payload) = decode::<P>(event) {
                    projection.apply_older(event, payload);
                }
            }
        });
    }
}

/// What outlives a component while its last answers are on their way.
struct Reader<P: Projection> {
    topic: Topic,
    feed: RefCell<Feed<Event>>,
    projection: ArcRwSignal<P>,
    reading: ArcRwSignal<Reading>,
    /// The first event that was applied; zero while there is none.
    oldest: ArcRwSignal<Seq>,
    is_over: Cell<bool>,
    parts: Parts,
}

impl<P: Projection> Reader<P> {
    fn hear(self: &Rc<Self>, arrival: Arrival) {
        match arrival {
            Arrival::Head(epoch, seq) => drop(self.take(|feed| feed.on_head(&epoch, seq))),
            Arrival::Event(event) => drop(self.take(|feed| feed.on_event(event.seq, event))),
            Arrival::Refused(problem) => self.reading.set(Reading::Trouble(problem)),
            Arrival::Acked(epoch, seq) => spawn_local(self.clone().expect_own(epoch, seq)),
        }
    }

    /// An own post is durable: its event should be pushed shortly, else it is pulled.
    async fn expect_own(self: Rc<Self>, epoch: Epoch, seq: Seq) {
        if self.parts.socket.is_connected() {
            browser::sleep(OWN_EVENT_MS_MAX).await;
        }
        let at = self.feed.borrow().position();
        if at.is_none_or(|at| at.epoch != epoch || at.seq < seq) {
            self.take(|feed| feed.on_head(&epoch, seq));
        }
    }

    /// Asks the feed, and does what it says: forget, apply, pull. Tells whether a pull began.
    fn take(self: &Rc<Self>, ask: impl FnOnce(&mut Feed<Event>) -> Step<Event>) -> bool {
        if self.is_over.get() {
            return false;
        }
        let step = ask(&mut self.feed.borrow_mut());
        if step.start_over || !step.apply.is_empty() {
            self.apply(step.start_over, &step.apply);
        }
        let Some(wish) = step.pull else { return false };
        let reader = self.clone();
        spawn_local(async move { reader.pull(wish).await });
        true
    }

    fn apply(&self, start_over: bool, events: &[Event]) {
        if start_over {
            self.oldest.set(events.first().map_or(Seq::ZERO, |event| event.seq));
        } else if let (Seq::ZERO, Some(first)) = (self.oldest.get_untracked(), events.first()) {
            self.oldest.set(first.seq);
        }
        self.projection.update(|projection| {
            if start_over {
                *projection = P::default();
            }
            for event in events {
                if let Some(payload) = decode::<P>(event) {
                    projection.apply(event, payload);
                }
            }
        });
        if let Some(position) = self.feed.borrow().position() {
            self.parts.outbox.settle(&self.topic, events, &position);
        }
    }

    async fn pull(self: Rc<Self>, wish: Pull) {
        match pull(&self.topic, &wish).await {
            Ok(page) => {
                self.reading.set(Reading::Ready);
                self.take(|feed| feed.on_page(page.into()));
            }
            Err(problem) => {
                self.feed.borrow_mut().on_pull_failed();
                self.reading.set(Reading::Trouble(problem));
            }
        }
    }
}

/// Reads an event as its topic's kind says. One that this page is too old to understand is left out.
fn decode<P: Projection>(event: &Event) -> Option<<P::Kind as TopicKind>::Event> {
    let read = event.payload.read();
    if let Err(error) = &read {
        let told = format!("{} {} was not understood: {error}", event.topic, event.seq);
        web_sys::console::warn_1(&told.into());
    }
    read.ok()
}
