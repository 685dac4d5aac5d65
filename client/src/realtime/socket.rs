//! `Socket`: drives the shared [`Connection`] with a real WebSocket, the browser's clock and the page's
//! events.
//!
//! All decisions are the machine's; here is only what it cannot do itself. `navigator.onLine` is not asked at
//! the start, since it is wrong on many machines; its events are hints and good enough.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{
    ClientFrame, CloseReason, Command, Connection, Input, Listed, Millis, Payload, ServerFrame, Status, Topic,
};

use super::listeners::{Delivery, ListenerId, Listeners};
use super::page_events::listen_to_page_events;
use super::sign_in_check::check_sign_in;
use super::websocket_link::{LinkEvent, VANISHED, WebSocketLink};
use crate::browser;

/// The largest payload of a node that has not said otherwise: the default of `--payload-bytes-max`.
const PAYLOAD_BYTES_MAX_DEFAULT: u32 = 8_192;

/// A welcome is on its way for less than this, mostly.
const WELCOME_PRECISION_MS: Millis = 500;

/// The page's one connection to a node.
pub(super) struct Socket {
    this: Weak<Socket>,
    machine: RefCell<Connection>,
    link: RefCell<Option<WebSocketLink>>,
    listeners: Listeners,
    status: ArcRwSignal<Status>,
    served_build: ArcRwSignal<Option<String>>,
    payload_bytes_max: ArcRwSignal<u32>,
    is_full: ArcRwSignal<bool>,
    wake_at: Cell<Option<Millis>>,
    waiting: RefCell<Vec<Waker>>,
    wanted: Cell<bool>,
}

impl Socket {
    /// Not connected, and not wanting to be.
    pub(super) fn new() -> Rc<Socket> {
        let machine = Connection::default();
        let socket = Rc::new_cyclic(|this| Socket {
            this: this.clone(),
            status: ArcRwSignal::new(machine.status()),
            served_build: ArcRwSignal::default(),
            payload_bytes_max: ArcRwSignal::new(PAYLOAD_BYTES_MAX_DEFAULT),
            is_full: ArcRwSignal::default(),
            machine: RefCell::new(machine),
            link: RefCell::default(),
            listeners: Listeners::default(),
            wake_at: Cell::default(),
            waiting: RefCell::default(),
            wanted: Cell::new(false),
        });
        listen_to_page_events(&socket);
        socket
    }

    /// Is connected from now on.
    pub(super) fn start(&self) {
        self.wanted.set(true);
        self.input(Input::Start);
    }

    /// Stays away. A sign-in that ended elsewhere stays in sight as such.
    pub(super) fn stop(&self) {
        self.wanted.set(false);
        if self.status.get_untracked() != Status::SignedOut {
            self.input(Input::Stop);
        }
    }

    /// Tells the machine what happened, and does what it says.
    pub(super) fn input(&self, input: Input) {
        let commands = self.machine.borrow_mut().on(input, browser::now_ms(), browser::random());
        for command in commands {
            match command {
                Command::Open => self.open(),
                Command::Close => drop(self.link.take()),
                Command::AskMe => self.check_sign_in(),
                Command::Ping => self.send(&ClientFrame::Ping { at: browser::now_ms() }),
            }
        }
        self.show_status();
        self.set_alarm();
    }

    /// How the connection is doing.
    pub(super) fn status(&self) -> ArcReadSignal<Status> {
        self.status.read_only()
    }

    /// Which client the node serves, as its last welcome told.
    pub(super) fn served_build(&self) -> ArcReadSignal<Option<String>> {
        self.served_build.read_only()
    }

    /// True if the node said last that it has no socket to spare.
    pub(super) fn is_full(&self) -> ArcReadSignal<bool> {
        self.is_full.read_only()
    }

    /// The largest payload that the node takes.
    pub(super) fn payload_bytes_max(&self) -> ArcReadSignal<u32> {
        self.payload_bytes_max.read_only()
    }

    /// Whether somebody who is signed in sits in front of the page.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.get()
    }

    /// Whether pushes come in.
    pub(super) fn is_connected(&self) -> bool {
        self.status.get_untracked() == Status::Connected
    }

    /// Whether to read by long poll.
    pub(super) fn is_polling(&self) -> bool {
        self.status.get_untracked() == Status::Polling
    }

    /// Whether the node answers, in whichever way, so that it makes sense to publish.
    pub(super) fn is_reachable(&self) -> bool {
        self.is_connected() || self.is_polling()
    }

    /// Waits until the node answers.
    pub(super) async fn reachable(&self) {
        poll_fn(|context| {
            if self.is_reachable() {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Listens to a topic, now and after every reconnect.
    pub(super) fn listen(
        &self,
        topic: &Topic,
        listed: Listed,
        hear: impl Fn(Delivery) + 'static,
    ) -> ListenerId {
        let (id, frame) = self.listeners.add(topic, listed, Rc::new(hear));
        self.send(&frame);
        id
    }

    /// Asks the node once more to let us listen.
    pub(super) fn listen_again(&self, topic: &Topic) {
        self.send(&self.listeners.subscription(topic));
    }

    /// Listens no longer.
    pub(super) fn unlisten(&self, topic: &Topic, id: ListenerId) {
        self.send(&self.listeners.remove(topic, id));
    }

    /// Says something in passing to the others there. Lost while not connected: it would come too late.
    pub(super) fn signal(&self, topic: &Topic, payload: Payload) {
        self.send(&ClientFrame::Signal { topic: topic.clone(), payload });
    }

    /// Tells whoever reads the topic here that a post of ours is durable.
    pub(super) fn tell_acked(&self, ack: shared::Ack) {
        self.listeners.tell(&ack.topic, Delivery::Acked(ack.epoch, ack.seq));
    }

    fn open(&self) {
        let this = self.this.clone();
        let link = WebSocketLink::open(move |told| {
            let Some(socket) = this.upgrade() else { return };
            match told {
                LinkEvent::Text(text) => socket.hear(&text),
                LinkEvent::Closed(code) => socket.closed(code),
            }
        });
        if link.is_none() {
            let this = self.this.clone();
            queue_microtask(move || this.upgrade().iter().for_each(|socket| socket.closed(VANISHED)));
        }
        self.link.replace(link);
    }

    fn closed(&self, code: u16) {
        self.link.take();
        self.input(Input::Closed(CloseReason::from_code(code)));
    }

    /// Nothing while not connected: once it is, the node is told all that counts.
    fn send(&self, frame: &ClientFrame) {
        let text = serde_json::to_string(frame).expect("a frame has no map with odd keys");
        if let Some(link) = self.link.borrow_mut().as_mut().filter(|_| self.is_connected()) {
            link.send(text);
        }
    }

    fn hear(&self, text: &str) {
        self.input(Input::Heard);
        let frame = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => {
                return web_sys::console::warn_1(&format!("A frame was not understood: {error}").into());
            }
        };
        match frame {
            ServerFrame::Welcome(welcome) => {
                self.served_build.set(Some(welcome.build));
                // A node of before this field says nothing.
                if welcome.now > 0 {
                    browser::note_node_time(welcome.now, WELCOME_PRECISION_MS);
                }
                self.payload_bytes_max.set(welcome.limits.payload_bytes_max);
                self.input(Input::Welcome { heartbeat_secs: welcome.heartbeat_secs });
                self.listeners.subscriptions().iter().for_each(|frame| self.send(frame));
            }
            ServerFrame::Ping { at } => self.send(&ClientFrame::Pong { at }),
            ServerFrame::Drain { reconnect_after_ms } => self.input(Input::Drain { reconnect_after_ms }),
            ServerFrame::Error { problem } => web_sys::console::warn_1(&problem.detail.into()),
            frame => self.listeners.hear(frame),
        }
    }

    fn check_sign_in(&self) {
        let this = self.this.clone();
        spawn_local(async move {
            let answer = check_sign_in().await;
            if let Some(socket) = this.upgrade() {
                socket.is_full.set(matches!(answer, Input::NoSocket(_)));
                socket.input(answer);
            }
        });
    }

    fn show_status(&self) {
        let status = self.machine.borrow().status();
        if self.status.get_untracked() != status {
            self.status.set(status);
        }
        if self.is_reachable() {
            self.waiting.take().into_iter().for_each(Waker::wake);
        }
    }

    /// Keeps one timer, never later than the machine wants it. One that rings early does no harm.
    fn set_alarm(&self) {
        let Some(at) = self.machine.borrow().wake_at() else { return };
        let now = browser::now_ms();
        // One that is overdue was set before the page was frozen, and rings when it likes.
        if self.wake_at.get().is_some_and(|set| (now..=at).contains(&set)) {
            return;
        }
        self.wake_at.set(Some(at));
        let this = self.this.clone();
        spawn_local(async move {
            browser::sleep((at - now).max(0) as u64).await;
            let Some(socket) = this.upgrade() else { return };
            if socket.wake_at.get() == Some(at) {
                socket.wake_at.set(None);
            }
            socket.input(Input::Tick);
        });
    }
}
