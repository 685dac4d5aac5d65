//! `Realtime`: the handle to the tab's connection and outbox, which the app provides as a context.

use std::rc::Rc;

use leptos::prelude::*;
use shared::{Input, Status, UserId};

use super::outbox::{Outbox, PendingPosts};
use super::page_events::listen_to_page_events;
use super::poll_slots::PollSlots;
use super::socket::Socket;

/// Handle to the tab's one connection and its outbox. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Realtime(StoredValue<Core, LocalStorage>);

/// The parts that all readers of the tab share.
#[derive(Clone)]
pub(super) struct Core {
    pub(super) socket: Rc<Socket>,
    pub(super) outbox: Rc<Outbox>,
    pub(super) poll_slots: PollSlots,
}

impl Realtime {
    /// Creates the handle, not yet connected, and provides it to everything below the caller.
    ///
    /// `on_owner_changed` is called when another tab reports that somebody else is signed in, or nobody.
    pub fn provide(on_owner_changed: impl Fn() + 'static) -> Realtime {
        let socket = Socket::new();
        listen_to_page_events(&socket);
        let outbox = Outbox::new(socket.clone(), on_owner_changed);
        let core = Core { socket, outbox, poll_slots: PollSlots::new() };
        let realtime = Realtime(StoredValue::new_local(core));
        realtime.sync_outbox_with_other_tabs();
        provide_context(realtime);
        realtime
    }

    /// Connects for the user who signed in. Harmless when it is connected for the same user already.
    pub fn start(self, me: UserId) {
        let core = self.core();
        core.outbox.open_for(me);
        core.socket.start();
    }

    /// Disconnects because nobody is signed in. Unsent posts stay in the browser's storage for their author.
    pub fn stop(self) {
        let core = self.core();
        core.outbox.close();
        core.socket.stop();
    }

    /// Disconnects and keeps the outbox open, until [`Realtime::start`] for the same user.
    pub fn pause(self) {
        self.core().socket.stop();
    }

    /// Discards the unsent posts of a user who has signed out for good.
    pub fn forget_unsent(self) {
        self.core().outbox.discard_all();
    }

    /// The number of posts that the node has not acknowledged. Tracked.
    pub fn unsent(self) -> usize {
        self.core().outbox.posts.with(PendingPosts::unsent)
    }

    /// True once a post waited that the browser refused to store, so that a reload would lose it. Tracked.
    pub fn has_unstored(self) -> bool {
        self.core().outbox.has_unstored.get()
    }

    /// Reconnects without waiting any longer.
    pub fn reconnect_now(self) {
        self.core().socket.input(Input::ReconnectNow);
    }

    /// The status of the connection.
    pub fn status(self) -> ReadSignal<Status> {
        self.core().socket.status.read_only().into()
    }

    /// True while the node is known to be out of reach, so that a request would be in vain. Tracked.
    pub fn is_away(self) -> bool {
        matches!(self.core().socket.status.get(), Status::Waiting { .. } | Status::Offline)
    }

    /// True if the node is polled because it has no socket to spare.
    pub fn is_full(self) -> ReadSignal<bool> {
        self.core().socket.is_full.read_only().into()
    }

    /// The largest payload that the node accepts, in bytes of JSON: as in its last welcome, or the default of the
    /// setting before the first one. Tracked.
    pub fn payload_bytes_max(self) -> u32 {
        self.core().socket.payload_bytes_max.get()
    }

    /// The build of the client that the node serves; `None` before the first welcome.
    pub fn served_build(self) -> ReadSignal<Option<String>> {
        self.core().socket.served_build.read_only().into()
    }

    /// Syncs when the tab is shown again and when the node is reachable again: other tabs may have written posts and
    /// been closed in between.
    fn sync_outbox_with_other_tabs(self) {
        window_event_listener_untyped("visibilitychange", move |_| self.core().outbox.sync());
        let Core { socket, outbox, .. } = self.core();
        let sync_when_reachable = move || {
            if matches!(socket.status.get(), Status::Connected | Status::Polling) {
                outbox.sync();
            }
        };
        Effect::new(Box::new(sync_when_reachable) as Box<dyn Fn()>);
    }

    pub(super) fn core(self) -> Core {
        self.0.get_value()
    }
}

/// Returns the [`Realtime`] that the app provides.
pub fn use_realtime() -> Realtime {
    use_context().expect("the app provides it to every view")
}
