//! The core of the page: one socket, and for each topic a reader that ends up with every event, once, in
//! order.
//!
//! A feature brings a [`Projection`], calls [`use_topic`], and shows what it gets. It never sees a frame, a
//! gap or a reconnect. Publishing goes through the outbox, which keeps a line until its event has come back.
//! This folder knows no feature and no screen.

mod ask_me;
mod line;
mod listeners;
mod members;
mod outbox;
mod page_events;
mod poll_slots;
mod pull;
mod socket;
mod topic;
mod watch;

use std::rc::Rc;

use leptos::prelude::*;
use shared::{Event, Input, Seq, Status, TopicKind, UserId};

use outbox::Outbox;
use poll_slots::PollSlots;
use socket::Socket;

pub use members::Members;
pub use outbox::{Post, PostState};
pub use topic::{OlderPage, Reading, TopicReader, use_topic};
pub use watch::{News, watch_topics};

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
pub struct Realtime(StoredValue<Parts, LocalStorage>);

#[derive(Clone)]
struct Parts {
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
        let realtime = Realtime(StoredValue::new_local(Parts { socket, outbox, slots: PollSlots::new() }));
        realtime.look_for_posts();
        provide_context(realtime);
        realtime
    }

    /// Somebody signed in: be connected from now on. Harmless when it already is, for the same person.
    pub fn start(self, me: UserId) {
        let parts = self.parts();
        parts.outbox.open_for(me);
        parts.socket.start();
    }

    /// Nobody is signed in: hang up. What was not yet published stays kept for whoever wrote it.
    pub fn stop(self) {
        let parts = self.parts();
        parts.outbox.clear();
        parts.socket.stop();
    }

    /// Hangs up and keeps everything, until [`Realtime::start`] for the same person.
    pub fn pause(self) {
        self.parts().socket.stop();
    }

    /// The person has signed out for good: forget what they have not yet published.
    pub fn forget_unsent(self) {
        self.parts().outbox.forget();
    }

    /// How many things were written here that the node has not acknowledged. Tracked.
    pub fn unsent(self) -> usize {
        self.parts().outbox.unsent()
    }

    /// Does not wait any longer.
    pub fn reconnect_now(self) {
        self.parts().socket.input(Input::ReconnectNow);
    }

    /// How the connection is doing.
    pub fn status(self) -> ReadSignal<Status> {
        self.parts().socket.status().into()
    }

    /// Whether the node is known to be out of reach, so that asking it now is in vain. Tracked.
    pub fn is_away(self) -> bool {
        matches!(self.parts().socket.status().get(), Status::Waiting { .. } | Status::Offline)
    }

    /// Whether the node answers, in whichever way. Tracked.
    pub fn is_reachable(self) -> bool {
        matches!(self.parts().socket.status().get(), Status::Connected | Status::Polling)
    }

    /// True if the node has no socket to spare, which is why it is polled.
    pub fn is_full(self) -> ReadSignal<bool> {
        self.parts().socket.is_full().into()
    }

    /// The largest payload that the node takes, in bytes of JSON: as its last welcome told, else the default of the
    /// setting. Tracked.
    pub fn payload_bytes_max(self) -> u32 {
        self.parts().socket.payload_bytes_max().get()
    }

    /// Which client the node serves, as far as it has told.
    pub fn served_build(self) -> ReadSignal<Option<String>> {
        self.parts().socket.served_build().into()
    }

    /// A tab that is shown again or back may have missed what others wrote and left.
    fn look_for_posts(self) {
        window_event_listener_untyped("visibilitychange", move |_| self.parts().outbox.look_again());
        let look = move || {
            if self.is_reachable() {
                self.parts().outbox.look_again();
            }
        };
        Effect::new(Box::new(look) as Box<dyn Fn()>);
    }

    fn parts(self) -> Parts {
        self.0.get_value()
    }
}

/// The [`Realtime`] that the app provides.
pub fn use_realtime() -> Realtime {
    use_context().expect("the app provides it to every page")
}
