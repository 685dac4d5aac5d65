//! `Reader`: drives a [`TopicState`] with requests, timers and frames, for as long as a component lives.
//!
//! While no socket comes through, a pull waits at the node until there is something to tell, and as soon as it is
//! answered the next one goes out. Where this window may not keep one waiting (see `poll_slots`), it asks every few
//! seconds.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use futures_util::future::{AbortHandle, Abortable};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{
    Backoff, Epoch, ErrorCode, Event, EventPage, Feed, Identity, Input, Millis, Problem, Pull, Seq, Step,
    Topic, TopicKind,
};

use super::LoadState;
use super::state::{Apply, Next, TopicState};
use crate::browser::{self, Throttle};
use crate::realtime::listeners::Delivery;
use crate::realtime::pull::{pull, pull_waiting};
use crate::realtime::{Core, Members, Projection};

/// How long after the ack of an own post its event may take, before it is pulled.
const OWN_EVENT_MS_MAX: u64 = 1_000;

/// A long poll that is answered with nothing this soon did not wait: something in between forbids that too.
const WAITED_MS_MIN: Millis = 1_000;
/// The pause between two requests where none may wait.
const ASK_EVERY_MS: Millis = 5_000;

/// What is done with a signal.
pub(super) type HearSignal<P> = Box<dyn Fn(Identity, <<P as Projection>::Kind as TopicKind>::Signal)>;

/// One feature's end of one topic.
pub(super) struct Reader<P: Projection> {
    pub(super) topic: Topic,
    pub(super) state: TopicState<P>,
    pub(super) members: ArcRwSignal<Members>,
    pub(super) hear_signal: RefCell<Option<HearSignal<P>>>,
    pub(super) core: Core,
    throttle: Rc<Throttle>,
    is_over: Cell<bool>,
    /// The request that waits at the node.
    waiting: RefCell<Option<AbortHandle>>,
    backoff: RefCell<Backoff>,
    /// No poll begins before.
    paused_until: Cell<Millis>,
    /// The node keeps no request of ours waiting before.
    plain_until: Cell<Millis>,
}

/// Outcome of a pull.
enum Outcome {
    Page(EventPage),
    Failed(Problem),
    /// The node answers, and has no room for a request that waits, for so many milliseconds.
    MayNotWait(Millis),
    /// Nobody wants the answer any more.
    Cancelled,
}

impl<P: Projection> Reader<P> {
    pub(super) fn new(topic: Topic, core: Core) -> Rc<Reader<P>> {
        Rc::new_cyclic(|this: &Weak<Reader<P>>| Reader {
            throttle: Throttle::new({
                let this = this.clone();
                move || this.upgrade().iter().for_each(|reader| reader.apply())
            }),
            topic,
            state: TopicState::new(),
            members: ArcRwSignal::default(),
            hear_signal: RefCell::default(),
            core,
            is_over: Cell::default(),
            waiting: RefCell::default(),
            backoff: RefCell::default(),
            paused_until: Cell::default(),
            plain_until: Cell::default(),
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

    pub(super) fn hear(self: &Rc<Self>, arrival: Delivery) {
        match arrival {
            Delivery::Head(epoch, seq) => {
                self.state.admitted();
                self.take(|feed| feed.on_head(&epoch, seq));
            }
            Delivery::Event(epoch, event) => drop(self.take(|feed| feed.on_event(&epoch, event.seq, event))),
            Delivery::Refused(problem) => self.state.refused(problem),
            Delivery::Acked(epoch, seq) => spawn_local(self.clone().expect_own(epoch, seq)),
            Delivery::Presence(members) => self.members.set(members),
            Delivery::Signal(from, payload) => {
                if let (Some(hear), Ok(signal)) = (self.hear_signal.borrow().as_ref(), payload.read()) {
                    hear(from, signal);
                }
            }
        }
    }

    /// An own post is durable: its event should be pushed shortly, else it is pulled.
    async fn expect_own(self: Rc<Self>, epoch: Epoch, seq: Seq) {
        if self.core.socket.is_connected() {
            browser::sleep(OWN_EVENT_MS_MAX).await;
        }
        match self.state.position() {
            Some(at) if at.epoch == epoch && at.seq >= seq => self.apply(),
            _ => drop(self.take(|feed| feed.on_head(&epoch, seq))),
        }
    }

    /// Asks the feed, and does what it says: forget, apply, pull. Tells whether a pull began.
    pub(super) fn take(self: &Rc<Self>, ask: impl FnOnce(&mut Feed<Event>) -> Step<Event>) -> bool {
        if self.is_over.get() {
            return false;
        }
        let Next { pull, apply } = self.state.take(ask);
        match apply {
            Apply::Nothing => {}
            Apply::WithTheFrame => self.throttle.ask(),
            Apply::Now => self.apply(),
        }
        let Some(wish) = pull else { return false };
        let reader = self.clone();
        spawn_local(async move { reader.pull(wish).await });
        true
    }

    fn apply(&self) {
        if self.is_over.get() {
            return;
        }
        let events = self.state.apply_queued();
        if let Some(position) = self.state.position() {
            self.core.outbox.settle(&self.topic, &events, &position);
        }
    }

    async fn pull(self: Rc<Self>, wish: Pull) {
        let asked_at = browser::now_ms();
        match self.ask(&wish).await {
            Outcome::Page(page) => {
                if page.events.is_empty() && browser::now_ms() - asked_at < WAITED_MS_MIN {
                    self.pause(ASK_EVERY_MS);
                }
                self.backoff.borrow_mut().reset();
                self.take(|feed| feed.on_page(page.into()));
                self.poll().await;
            }
            Outcome::Failed(problem) => self.pull_failed(problem).await,
            Outcome::MayNotWait(millis) => {
                self.plain_until.set(browser::now_ms() + millis.max(ASK_EVERY_MS));
                self.state.pull_cancelled();
                self.poll().await;
            }
            Outcome::Cancelled => {
                self.state.pull_cancelled();
                self.take(Feed::resume);
            }
        }
    }

    async fn ask(&self, wish: &Pull) -> Outcome {
        let may_wait = browser::now_ms() >= self.plain_until.get();
        // Without a position the newest page is asked for, and that is there at once.
        let slot = match &wish.after {
            Some(_) if self.core.socket.is_polling() && may_wait => self.core.slots.take(),
            _ => None,
        };
        let Some(_slot) = slot else {
            return pull(&self.topic, wish).await.map_or_else(Outcome::Failed, Outcome::Page);
        };
        let (handle, registration) = AbortHandle::new_pair();
        self.waiting.replace(Some(handle));
        match Abortable::new(pull_waiting(&self.topic, wish), registration).await {
            Ok(Ok(page)) => Outcome::Page(page),
            Ok(Err(problem)) => match (problem.code, problem.retry_after_ms) {
                (ErrorCode::TooMany | ErrorCode::Unavailable, Some(millis)) => {
                    Outcome::MayNotWait(millis as Millis)
                }
                _ => Outcome::Failed(problem),
            },
            Err(_) => Outcome::Cancelled,
        }
    }

    async fn pull_failed(self: Rc<Self>, problem: Problem) {
        if !self.core.socket.is_polling() || !problem.code.is_temporary() {
            return self.state.pull_failed(problem);
        }
        let pause = self.backoff.borrow_mut().next_ms(browser::random());
        self.pause(problem.retry_after_ms.unwrap_or_default().max(pause) as Millis);
        // The badge tells of it, but a page that is still empty must not seem to be loading.
        if self.state.load_state.get_untracked() == LoadState::Loading {
            self.state.pull_failed(problem);
        } else {
            self.state.pull_cancelled();
        }
        self.core.socket.input(Input::PollFailed);
        self.poll().await;
    }

    fn pause(&self, millis: Millis) {
        self.paused_until.set(browser::now_ms() + millis);
    }

    /// Asks for what comes next, if that is the way to read. Harmless while a request is on its way.
    pub(super) async fn poll(self: Rc<Self>) {
        let pause = self.paused_until.get() - browser::now_ms();
        if pause > 0 {
            browser::sleep(pause as u64).await;
        }
        if self.core.socket.is_polling() {
            self.take(Feed::wait);
        }
    }

    /// Calls off the request that waits at the node.
    pub(super) fn stop_waiting(&self) {
        self.waiting.take().iter().for_each(AbortHandle::abort);
    }

    /// The seq of the first event that was applied; zero while there is none.
    pub(super) fn oldest(&self) -> Seq {
        self.state.oldest.get_untracked()
    }
}
