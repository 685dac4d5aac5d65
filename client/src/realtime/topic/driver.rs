//! `TopicDriver`: drives a [`TopicState`] with requests, timers and frames, for as long as a component lives.
//!
//! While no socket gets through, a long poll waits at the node until there is something new, and the next one
//! follows its answer. A tab that may not keep one open (see `poll_slots`) asks every few seconds.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use futures_util::future::{AbortHandle, Abortable};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{
    Backoff, Epoch, ErrorCode, Event, EventPage, Feed, Identity, Input, Millis, Problem, Pull, Seq, Step,
    Topic, TopicKind, endpoint,
};

use super::state::{Actions, Apply, LoadState, TopicState};
use crate::browser::{self, Throttle};
use crate::http;
use crate::realtime::context::Core;
use crate::realtime::listeners::Delivery;
use crate::realtime::members::Members;
use crate::realtime::projection::Projection;

/// The time that the event of an own post may take after its ack, before it is pulled.
const OWN_EVENT_MS_MAX: u64 = 1_000;

/// An empty answer that comes sooner than this shows that the long poll did not wait: a proxy may forbid that too.
const WAITED_MS_MIN: Millis = 1_000;
/// The time a long poll stays at the node when nothing happens: shorter than the timeouts of common proxies.
const WAIT_SECS: u32 = 25;
/// The pause between two pulls that do not wait.
const POLL_EVERY_MS: Millis = 5_000;

/// A feature's callback for signals.
pub(super) type OnSignal<P> = Box<dyn Fn(Identity, <<P as Projection>::Kind as TopicKind>::Signal)>;

/// The driver of one reader.
pub(super) struct TopicDriver<P: Projection> {
    pub(super) topic: Topic,
    pub(super) state: TopicState<P>,
    pub(super) members: ArcRwSignal<Members>,
    pub(super) on_signal: RefCell<Option<OnSignal<P>>>,
    pub(super) core: Core,
    throttle: Rc<Throttle>,
    pub(super) is_closed: Cell<bool>,
    /// Aborts the long poll that waits at the node.
    long_poll: RefCell<Option<AbortHandle>>,
    backoff: RefCell<Backoff>,
    /// No poll starts before this time.
    paused_until: Cell<Millis>,
    /// No poll waits at the node before this time.
    plain_until: Cell<Millis>,
}

/// The outcome of a pull.
enum PullOutcome {
    Page(EventPage),
    Failed(Problem),
    /// The node answers, but has no room for a long poll for this many milliseconds.
    MayNotWait(Millis),
    Cancelled,
}

impl<P: Projection> TopicDriver<P> {
    pub(super) fn new(topic: Topic, core: Core) -> Rc<TopicDriver<P>> {
        Rc::new_cyclic(|this: &Weak<TopicDriver<P>>| {
            let this = this.clone();
            TopicDriver {
                throttle: Throttle::new(move || {
                    if let Some(driver) = this.upgrade() {
                        driver.apply();
                    }
                }),
                topic,
                state: TopicState::new(),
                members: ArcRwSignal::default(),
                on_signal: RefCell::default(),
                core,
                is_closed: Cell::default(),
                long_poll: RefCell::default(),
                backoff: RefCell::default(),
                paused_until: Cell::default(),
                plain_until: Cell::default(),
            }
        })
    }

    /// Ends the reading.
    pub(super) fn close(&self) {
        self.is_closed.set(true);
        self.cancel_long_poll();
    }

    /// Handles what the socket delivers for the topic.
    pub(super) fn receive(self: &Rc<Self>, delivery: Delivery) {
        match delivery {
            Delivery::Head(epoch, seq) => {
                self.state.set_admitted();
                self.advance(|feed| feed.on_head(&epoch, seq));
            }
            Delivery::Event(epoch, event) => {
                self.advance(|feed| feed.on_event(&epoch, event.seq, event));
            }
            Delivery::Refused(problem) => self.state.set_refused(problem),
            Delivery::Acked(epoch, seq) => spawn_local(self.clone().expect_own_event(epoch, seq)),
            Delivery::Presence(members) => self.members.set(members),
            Delivery::Signal(from, payload) => {
                if let (Some(on_signal), Ok(signal)) = (self.on_signal.borrow().as_ref(), payload.read()) {
                    on_signal(from, signal);
                }
            }
        }
    }

    /// Waits for the event of an own post that is durable, and pulls it if it is not pushed in time.
    async fn expect_own_event(self: Rc<Self>, epoch: Epoch, seq: Seq) {
        if self.core.socket.is_connected() {
            browser::sleep(OWN_EVENT_MS_MAX).await;
        }
        match self.state.position() {
            Some(position) if position.epoch == epoch && position.seq >= seq => self.apply(),
            _ => {
                self.advance(|feed| feed.on_head(&epoch, seq));
            }
        }
    }

    /// Passes an input to the feed and takes the actions that follow. Returns true if a pull started.
    pub(super) fn advance(self: &Rc<Self>, input: impl FnOnce(&mut Feed<Event>) -> Step<Event>) -> bool {
        if self.is_closed.get() {
            return false;
        }
        let Actions { pull, apply } = self.state.advance(input);
        match apply {
            Apply::Nothing => {}
            Apply::OnFrame => self.throttle.request(),
            Apply::Now => self.apply(),
        }
        let Some(query) = pull else { return false };
        let driver = self.clone();
        spawn_local(async move { driver.pull(query).await });
        true
    }

    fn apply(&self) {
        if self.is_closed.get() {
            return;
        }
        let events = self.state.apply_queue();
        if let Some(position) = self.state.position() {
            self.core.outbox.settle(&self.topic, &events, &position);
        }
    }

    async fn pull(self: Rc<Self>, query: Pull) {
        let started_at = browser::now_ms();
        match self.send_pull(&query).await {
            PullOutcome::Page(page) => {
                if page.events.is_empty() && browser::now_ms() - started_at < WAITED_MS_MIN {
                    self.pause(POLL_EVERY_MS);
                }
                self.backoff.borrow_mut().reset();
                self.advance(|feed| feed.on_page(page.into()));
                self.poll().await;
            }
            PullOutcome::Failed(problem) => self.on_pull_failed(problem).await,
            PullOutcome::MayNotWait(millis) => {
                self.plain_until.set(browser::now_ms() + millis.max(POLL_EVERY_MS));
                self.state.pull_cancelled();
                self.poll().await;
            }
            PullOutcome::Cancelled => {
                self.state.pull_cancelled();
                self.advance(Feed::resume);
            }
        }
    }

    async fn send_pull(&self, query: &Pull) -> PullOutcome {
        let may_wait = browser::now_ms() >= self.plain_until.get();
        // Without a position the pull asks for the newest page, which the node answers at once.
        let slot = match &query.after {
            Some(_) if self.core.socket.is_polling() && may_wait => self.core.poll_slots.acquire(),
            _ => None,
        };
        let url = endpoint::pull(&self.topic, query);
        let Some(_slot) = slot else {
            return http::get_json(&url).await.map_or_else(PullOutcome::Failed, PullOutcome::Page);
        };
        let (handle, registration) = AbortHandle::new_pair();
        self.long_poll.replace(Some(handle));
        match Abortable::new(http::get_json_waiting(&url, WAIT_SECS), registration).await {
            Ok(Ok(page)) => PullOutcome::Page(page),
            Ok(Err(problem)) => match (problem.code, problem.retry_after_ms) {
                (ErrorCode::TooMany | ErrorCode::Unavailable, Some(millis)) => {
                    PullOutcome::MayNotWait(millis as Millis)
                }
                _ => PullOutcome::Failed(problem),
            },
            Err(_) => PullOutcome::Cancelled,
        }
    }

    async fn on_pull_failed(self: Rc<Self>, problem: Problem) {
        if !self.core.socket.is_polling() || !problem.code.is_temporary() {
            return self.state.pull_failed(problem);
        }
        let backoff_ms = self.backoff.borrow_mut().next_ms(js_sys::Math::random());
        self.pause(problem.retry_after_ms.unwrap_or_default().max(backoff_ms) as Millis);
        // The connection badge shows the failure, but an empty view must not seem to be loading.
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

    /// Polls for the next events, if the topic is read by polling. Harmless while a pull is in flight.
    pub(super) async fn poll(self: Rc<Self>) {
        let pause = self.paused_until.get() - browser::now_ms();
        if pause > 0 {
            browser::sleep(pause as u64).await;
        }
        if self.core.socket.is_polling() {
            self.advance(Feed::wait);
        }
    }

    /// Aborts the long poll that waits at the node.
    pub(super) fn cancel_long_poll(&self) {
        if let Some(long_poll) = self.long_poll.take() {
            long_poll.abort();
        }
    }

    /// The seq of the first event that was applied; zero while there is none.
    pub(super) fn oldest(&self) -> Seq {
        self.state.oldest.get_untracked()
    }
}
