//! `Socket`: drives the shared [`Connection`] with a real WebSocket and the browser's clock.
//!
//! The state machine makes all decisions; this file does what it cannot do itself. `navigator.onLine` is not read at
//! the start, since many machines report it wrongly; its events are hints and good enough.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{
    ClientFrame, CloseReason, Connection, ConnectionCommand, Input, Listed, Millis, Payload, ServerFrame,
    Status, Topic,
};

use super::listeners::{Deliver, Delivery, ListenerId, Listeners};
use super::sign_in_check::check_sign_in;
use super::websocket_link::{LinkEvent, WebSocketLink};
use crate::browser;

/// The payload limit that is assumed before the first welcome: the default of `--payload-bytes-max`.
const PAYLOAD_BYTES_MAX_DEFAULT: u32 = 8_192;

/// The time that a welcome usually takes to arrive, at most.
const WELCOME_PRECISION_MS: Millis = 500;

/// The tab's one connection to a node.
pub(super) struct Socket {
    machine: RefCell<Connection>,
    link: RefCell<Option<WebSocketLink>>,
    listeners: Listeners,
    /// The status of the connection.
    pub(super) status: ArcRwSignal<Status>,
    /// The build of the client that the node serves, from its last welcome.
    pub(super) served_build: ArcRwSignal<Option<String>>,
    /// The largest payload that the node accepts, in bytes of JSON.
    pub(super) payload_bytes_max: ArcRwSignal<u32>,
    /// True if the node last answered that it has no socket to spare.
    pub(super) is_full: ArcRwSignal<bool>,
    /// True between [`Socket::start`] and [`Socket::stop`]: somebody is signed in.
    pub(super) is_started: Cell<bool>,
    tick_at: Cell<Option<Millis>>,
    reachable_wakers: RefCell<Vec<Waker>>,
}

impl Socket {
    /// Creates a socket that is not connected and does not try to be.
    pub(super) fn new() -> Rc<Socket> {
        let machine = Connection::default();
        Rc::new(Socket {
            status: ArcRwSignal::new(machine.status()),
            served_build: ArcRwSignal::default(),
            payload_bytes_max: ArcRwSignal::new(PAYLOAD_BYTES_MAX_DEFAULT),
            is_full: ArcRwSignal::default(),
            machine: RefCell::new(machine),
            link: RefCell::default(),
            listeners: Listeners::default(),
            tick_at: Cell::default(),
            reachable_wakers: RefCell::default(),
            is_started: Cell::new(false),
        })
    }

    /// Connects, and reconnects whenever the connection is lost.
    pub(super) fn start(self: &Rc<Self>) {
        self.is_started.set(true);
        self.input(Input::Start);
    }

    /// Disconnects. The status of a sign-in that ended elsewhere stays visible.
    pub(super) fn stop(self: &Rc<Self>) {
        self.is_started.set(false);
        if self.status.get_untracked() != Status::SignedOut {
            self.input(Input::Stop);
        }
    }

    /// Passes an input to the state machine and executes its commands.
    pub(super) fn input(self: &Rc<Self>, input: Input) {
        let commands = self.machine.borrow_mut().on(input, browser::now_ms(), js_sys::Math::random());
        for command in commands {
            match command {
                ConnectionCommand::Open => self.open(),
                ConnectionCommand::Close => drop(self.link.take()),
                ConnectionCommand::CheckSignIn => self.check_sign_in(),
                ConnectionCommand::Ping => self.send(&ClientFrame::Ping { at: browser::now_ms() }),
            }
        }
        self.update_status();
        self.schedule_tick();
    }

    /// True while the node pushes.
    pub(super) fn is_connected(&self) -> bool {
        self.status.get_untracked() == Status::Connected
    }

    /// True while topics are read by long poll.
    pub(super) fn is_polling(&self) -> bool {
        self.status.get_untracked() == Status::Polling
    }

    /// True while the node answers, by socket or by plain requests, so that publishing makes sense.
    pub(super) fn is_reachable(&self) -> bool {
        self.is_connected() || self.is_polling()
    }

    /// Waits until the node is reachable.
    pub(super) async fn wait_until_reachable(&self) {
        poll_fn(|context| {
            if self.is_reachable() {
                return Poll::Ready(());
            }
            self.reachable_wakers.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Adds a listener to a topic. The topic is subscribed now and after every reconnect.
    pub(super) fn add_listener(&self, topic: &Topic, listed: Listed, deliver: Deliver) -> ListenerId {
        let (id, frame) = self.listeners.add(topic, listed, deliver);
        self.send(&frame);
        id
    }

    /// Removes a listener. The topic stays subscribed while it has others.
    pub(super) fn remove_listener(&self, topic: &Topic, id: ListenerId) {
        self.send(&self.listeners.remove(topic, id));
    }

    /// Repeats the subscription of a topic, for one that the node has refused.
    pub(super) fn resubscribe(&self, topic: &Topic) {
        self.send(&self.listeners.subscription(topic));
    }

    /// Sends a signal to the other members. Dropped while not connected: it would arrive too late.
    pub(super) fn signal(&self, topic: &Topic, payload: Payload) {
        self.send(&ClientFrame::Signal { topic: topic.clone(), payload });
    }

    /// Tells this tab's readers of the topic that a post of theirs is durable.
    pub(super) fn deliver_ack(&self, ack: shared::Ack) {
        self.listeners.deliver(&ack.topic, Delivery::Acked(ack.epoch, ack.seq));
    }

    fn open(self: &Rc<Self>) {
        let socket = self.clone();
        let link = WebSocketLink::open(move |event| match event {
            LinkEvent::Text(text) => socket.receive(&text),
            LinkEvent::Closed(code) => socket.on_closed(code),
        });
        self.link.replace(link);
    }

    fn on_closed(self: &Rc<Self>, code: u16) {
        self.link.take();
        self.input(Input::Closed(CloseReason::from_code(code)));
    }

    /// Drops the frame while not connected: the welcome is answered with everything that still matters.
    fn send(&self, frame: &ClientFrame) {
        let text = serde_json::to_string(frame).expect("a frame has no map with odd keys");
        if let Some(link) = self.link.borrow_mut().as_mut().filter(|_| self.is_connected()) {
            link.send(text);
        }
    }

    fn receive(self: &Rc<Self>, text: &str) {
        self.input(Input::Heard);
        let frame = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => {
                return web_sys::console::warn_1(&format!("A frame could not be read: {error}").into());
            }
        };
        match frame {
            ServerFrame::Welcome(welcome) => {
                self.served_build.set(Some(welcome.build));
                // Nodes older than this field send no time, which reads as 0.
                if welcome.now > 0 {
                    browser::note_node_time(welcome.now, WELCOME_PRECISION_MS);
                }
                self.payload_bytes_max.set(welcome.limits.payload_bytes_max);
                self.input(Input::Welcome { heartbeat_secs: welcome.heartbeat_secs });
                for frame in self.listeners.subscriptions() {
                    self.send(&frame);
                }
            }
            ServerFrame::Ping { at } => self.send(&ClientFrame::Pong { at }),
            ServerFrame::Drain { reconnect_after_ms } => self.input(Input::Drain { reconnect_after_ms }),
            ServerFrame::Error { problem } => web_sys::console::warn_1(&problem.detail.into()),
            frame => self.listeners.receive(frame),
        }
    }

    fn check_sign_in(self: &Rc<Self>) {
        let socket = self.clone();
        spawn_local(async move {
            let answer = check_sign_in().await;
            socket.is_full.set(matches!(answer, Input::NoSocket(_)));
            socket.input(answer);
        });
    }

    fn update_status(&self) {
        let status = self.machine.borrow().status();
        if self.status.get_untracked() != status {
            self.status.set(status);
        }
        if self.is_reachable() {
            for waker in self.reachable_wakers.take() {
                waker.wake();
            }
        }
    }

    /// Keeps one timer that fires no later than the state machine asks for. Firing early is harmless.
    fn schedule_tick(self: &Rc<Self>) {
        let Some(at) = self.machine.borrow().wake_at() else { return };
        let now = browser::now_ms();
        // An overdue timer was set before the browser froze the tab, and may fire at any time: set another one.
        if self.tick_at.get().is_some_and(|set| (now..=at).contains(&set)) {
            return;
        }
        self.tick_at.set(Some(at));
        let socket = self.clone();
        spawn_local(async move {
            browser::sleep((at - now).max(0) as u64).await;
            if socket.tick_at.get() == Some(at) {
                socket.tick_at.set(None);
            }
            socket.input(Input::Tick);
        });
    }
}
