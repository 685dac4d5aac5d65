//! `Reader`: what of a topic's reading outlives a component while its last answers are on their way.
//!
//! While no socket comes through, every pull waits at the node until there is something to tell, and as soon
//! as it is answered the next one goes out: one waiting request for each topic that is open.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::future::{AbortHandle, Abortable};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{
    Backoff, Epoch, Event, EventPage, Feed, Identity, Input, Millis, Problem, Pull, Seq, Step, Topic,
    TopicKind,
};

use super::Reading;
use crate::browser;
use crate::realtime::listeners::Arrival;
use crate::realtime::pull::{pull, pull_waiting};
use crate::realtime::{Members, Parts, Projection};

/// How long after the ack of an own post its event may take, before it is pulled.
const OWN_EVENT_MS_MAX: u64 = 1_000;

/// A long poll that is answered with nothing this soon did not wait: something in between forbids that too.
const WAITED_MS_MIN: Millis = 1_000;
/// Then it is asked this often.
const ASK_EVERY_MS: Millis = 5_000;

/// What is done with a signal.
pub(super) type HearSignal<P> = Box<dyn Fn(Identity, <<P as Projection>::Kind as TopicKind>::Signal)>;

/// See the module.
pub(super) struct Reader<P: Projection> {
    pub(super) topic: Topic,
    pub(super) feed: RefCell<Feed<Event>>,
    pub(super) projection: ArcRwSignal<P>,
    pub(super) reading: ArcRwSignal<Reading>,
    /// The first event that was applied; zero while there is none.
    pub(super) oldest: ArcRwSignal<Seq>,
    pub(super) members: ArcRwSignal<Members>,
    pub(super) hear_signal: RefCell<Option<HearSignal<P>>>,
    pub(super) parts: Parts,
    is_over: Cell<bool>,
    /// The request that waits at the node.
    waiting: RefCell<Option<AbortHandle>>,
    backoff: RefCell<Backoff>,
    /// No long poll begins before.
    paused_until: Cell<Millis>,
    /// The node does not let us listen. What a page holds is shown all the same, but not as if more would come.
    pub(super) is_refused: Cell<bool>,
}

impl<P: Projection> Reader<P> {
    pub(super) fn new(topic: Topic, parts: Parts) -> Rc<Reader<P>> {
        Rc::new(Reader {
            topic,
            feed: RefCell::new(Feed::new(P::Kind::CATCH_UP_MAX)),
            projection: ArcRwSignal::new(P::default()),
            reading: ArcRwSignal::new(Reading::Loading),
            oldest: ArcRwSignal::new(Seq::ZERO),
            members: ArcRwSignal::default(),
            hear_signal: RefCell::default(),
            parts,
            is_over: Cell::default(),
            waiting: RefCell::default(),
            backoff: RefCell::default(),
            paused_until: Cell::default(),
            is_refused: Cell::default(),
        })
    }

    /// Nobody wants to know any more.
    pub(super) fn end(&self) {
        self.is_over.set(true);
        self.stop_waiting();
    }

    /// Whether nobody wants to know any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    pub(super) fn hear(self: &Rc<Self>, arrival: Arrival) {
        match arrival {
            Arrival::Head(epoch, seq) => {
                self.is_refused.set(false);
                if !self.take(|feed| feed.on_head(&epoch, seq)) {
                    self.ready();
                }
            }
            Arrival::Event(epoch, event) => drop(self.take(|feed| feed.on_event(&epoch, event.seq, event))),
            Arrival::Refused(problem) => {
                self.is_refused.set(true);
                self.reading.set(Reading::Trouble(problem));
            }
            Arrival::Acked(epoch, seq) => spawn_local(self.clone().expect_own(epoch, seq)),
            Arrival::Presence(members) => self.members.set(members),
            Arrival::Signal(from, payload) => {
                if let (Some(hear), Ok(signal)) = (self.hear_signal.borrow().as_ref(), payload.read()) {
                    hear(from, signal);
                }
            }
        }
    }

    /// An own post is durable: its event should be pushed shortly, else it is pulled.
    async fn expect_own(self: Rc<Self>, epoch: Epoch, seq: Seq) {
        if self.parts.socket.is_connected() {
            browser::sleep(OWN_EVENT_MS_MAX).await;
        }
        let at = self.feed.borrow().position();
        match at {
            Some(at) if at.epoch == epoch && at.seq >= seq => self.parts.outbox.settle(&self.topic, &[], &at),
            _ => drop(self.take(|feed| feed.on_head(&epoch, seq))),
        }
    }

    /// Asks the feed, and does what it says: forget, apply, pull. Tells whether a pull began.
    pub(super) fn take(self: &Rc<Self>, ask: impl FnOnce(&mut Feed<Event>) -> Step<Event>) -> bool {
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

    /// What there is to read is here, unless the node does not let us hear what comes.
    pub(super) fn ready(&self) {
        if !self.is_refused.get() && self.feed.borrow().position().is_some() {
            self.reading.set(Reading::Ready);
        }
    }

    async fn pull(self: Rc<Self>, wish: Pull) {
        let asked_at = browser::now_ms();
        match self.answer(&wish).await {
            Some(Ok(page)) => {
                let now = browser::now_ms();
                if page.events.is_empty() && now - asked_at < WAITED_MS_MIN {
                    self.paused_until.set(now + ASK_EVERY_MS);
                }
                self.backoff.borrow_mut().reset();
                self.ready();
                self.take(|feed| feed.on_page(page.into()));
                self.poll().await;
            }
            Some(Err(problem)) => self.pull_failed(problem).await,
            None => {
                self.feed.borrow_mut().on_pull_failed();
                self.take(Feed::resume);
            }
        }
    }

    /// Nothing when the question was called off.
    async fn answer(&self, wish: &Pull) -> Option<Result<EventPage, Problem>> {
        // Without a position the newest page is asked for, and that is there at once.
        if !self.parts.socket.is_polling() || wish.after.is_none() {
            return Some(pull(&self.topic, wish).await);
        }
        let (handle, registration) = AbortHandle::new_pair();
        self.waiting.replace(Some(handle));
        Abortable::new(pull_waiting(&self.topic, wish), registration).await.ok()
    }

    async fn pull_failed(self: Rc<Self>, problem: Problem) {
        self.feed.borrow_mut().on_pull_failed();
        if !self.parts.socket.is_polling() || !problem.code.is_temporary() {
            return self.reading.set(Reading::Trouble(problem));
        }
        let pause = self.backoff.borrow_mut().next_ms(browser::random());
        let pause = problem.retry_after_ms.unwrap_or_default().max(pause);
        self.paused_until.set(browser::now_ms() + pause as Millis);
        // The badge tells of it, but a page that is still empty must not seem to be loading.
        if self.reading.get_untracked() == Reading::Loading {
            self.reading.set(Reading::Trouble(problem));
        }
        self.parts.socket.input(Input::PollFailed);
        self.poll().await;
    }

    /// Keeps a request waiting at the node, if that is the way to read. Harmless when one waits already.
    pub(super) async fn poll(self: Rc<Self>) {
        let pause = self.paused_until.get() - browser::now_ms();
        if pause > 0 {
            browser::sleep(pause as u64).await;
        }
        if self.parts.socket.is_polling() {
            self.take(Feed::wait);
        }
    }

    /// Calls off the request that waits at the node.
    pub(super) fn stop_waiting(&self) {
        self.waiting.take().iter().for_each(AbortHandle::abort);
    }
}

/// Reads an event as its topic's kind says. One that this page is too old to understand is left out.
pub(super) fn decode<P: Projection>(event: &Event) -> Option<<P::Kind as TopicKind>::Event> {
    let read = event.payload.read();
    if let Err(error) = &read {
        let told = format!("{} {} was not understood: {error}", event.topic, event.seq);
        web_sys::console::warn_1(&told.into());
    }
    read.ok()
}
