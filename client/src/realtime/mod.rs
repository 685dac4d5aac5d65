//! The core of the page: one socket, and for each topic a reader that ends up with every event, once, in
//! order.
//!
//! A feature brings a [`Projection`], calls [`use_topic`], and shows what it gets. It never sees a frame, a
//! gap or a reconnect. Publishing goes through the outbox, which keeps a line until its event has come back.
//! This folder knows no feature and no screen.

mod follow_topics;
mod listeners;
mod members;
mod outbox;
mod page_events;
mod poll_slots;
mod pull;
mod sign_in_check;
mod socket;
mod topic;
mod websocket_link;

use std::rc::Rc;

use leptos::prelude::*;
use shared::{Event, Input, Seq, Status, TopicKind, UserId};

use outbox::Outbox;
use poll_slots::PollSlots;
use socket::Socket;

pub use follow_topics::{TopicUpdate, follow_topics};
pub use members::Members;
pub use outbox::{PendingPost, SendState};
pub use topic::{LoadState, OlderPage, TopicReader, use_topic};

/// State folded from the events of one topic: what a feature shows.
///
/// The events of a topic arrive in order and each once. A fresh start is `Default`.
pub trait Projection: Default + Send + Sync + 'static {
    /// The kind of topic that it reads.
    type Kind: TopicKind;

    /// The next event, newer than all before.
    fn apply(&mut self, event: &Event, payload: <Self::Kind as TopicKind>::Event);

    /// An event older than all that are there; called from the newest of a page to its oldest.
    fn apply_older(&mut self, event: &Event, payload: <Self::Kind as TopicKind>::Event);

    /// Lets go of the events older than `seq`, where they take room. They may come again.
    fn forget_before(&mut self, seq: Seq) {
        let _ = seq;
    }
}

/// The page's one connection, and what waits to be published. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Realtime(StoredValue<Core, LocalStorage>);

#[derive(Clone)]
struct Core {
    socket: Rc<Socket>,
    outbox: Rc<Outbox>,
    slots: PollSlots,
}

impl Realtime {
    /// Makes it, not yet connected, and hands it to everything below the caller. `on_unkept` is called once if
    /// something waits to be published that would not survive a reload; `on_owner_changed` when another tab says
    /// that somebody else is signed in, or nobody.
    pub fn provide(on_unkept: impl Fn() + 'static, on_owner_changed: impl Fn() + 'static) -> Realtime {
        let socket = Socket::new();
        let outbox = Outbox::new(socket.clone(), on_unkept, on_owner_changed);
        let realtime = Realtime(StoredValue::new_local(Core { socket, outbox, slots: PollSlots::new() }));
        realtime.look_for_posts();
        provide_context(realtime);
        realtime
    }

    /// Somebody signed in: be connected from now on. Harmless when it already is, for the same person.
    pub fn start(self, me: UserId) {
        let core = self.core();
        core.outbox.open_for(me);
        core.socket.start();
    }

    /// Nobody is signed in: hang up. What was not yet published stays kept for whoever wrote it.
    pub fn stop(self) {
        let core = self.core();
        core.outbox.clear();
        core.socket.stop();
    }

    /// Hangs up and keeps everything, until [`Realtime::start`] for the same person.
    pub fn pause(self) {
        self.core().socket.stop();
    }

    /// The person has signed out for good: forget what they have not yet published.
    pub fn forget_unsent(self) {
        self.core().outbox.forget();
    }

    /// How many things were written here that the node has not acknowledged. Tracked.
    pub fn unsent(self) -> usize {
        self.core().outbox.unsent()
    }

    /// Does not wait any longer.
    pub fn reconnect_now(self) {
        self.core().socket.input(Input::ReconnectNow);
    }

    /// How the connection is doing.
    pub fn status(self) -> ReadSignal<Status> {
        self.core().socket.status().into()
    }

    /// Whether the node is known to be out of reach, so that asking it now is in vain. Tracked.
    pub fn is_away(self) -> bool {
        matches!(self.core().socket.status().get(), Status::Waiting { .. } | Status::Offline)
    }

    /// Whether the node answers, in whichever way. Tracked.
    pub fn is_reachable(self) -> bool {
        matches!(self.core().socket.status().get(), Status::Connected | Status::Polling)
    }

    /// True if the node has no socket to spare, which is why it is polled.
    pub fn is_full(self) -> ReadSignal<bool> {
        self.core().socket.is_full().into()
    }

    /// The largest payload that the node takes, in bytes of JSON: as its last welcome told, else the default of the
    /// setting. Tracked.
    pub fn payload_bytes_max(self) -> u32 {
        self.core().socket.payload_bytes_max().get()
    }

    /// Which client the node serves, as far as it has told.
    pub fn served_build(self) -> ReadSignal<Option<String>> {
        self.core().socket.served_build().into()
    }

    /// A tab that is shown again or back may have missed what others wrote and left.
    fn look_for_posts(self) {
        window_event_listener_untyped("visibilitychange", move |_| self.core().outbox.look_again());
        let look = move || {
            if self.is_reachable() {
                self.core().outbox.look_again();
            }
        };
        Effect::new(Box::new(look) as Box<dyn Fn()>);
    }

    fn core(self) -> Core {
        self.0.get_value()
    }
}

/// The [`Realtime`] that the app provides.
pub fn use_realtime() -> Realtime {
    use_context().expect("the app provides it to every page")
}
