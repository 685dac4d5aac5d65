//! `Reader`: a user with an open page. It drives the real `Connection` and `Feed`s in the same way as the browser's
//! client.
//!
//! Each of its callbacks returns at once. Work that takes time runs in a task, which calls back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use realtime::{SignInId, Visitor};
use shared::{
    ClientFrame, CloseReason, Connection, ConnectionCommand, Epoch, Feed, Identity, Input, ServerFrame,
    Status, Topic, UserId,
};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::link::SocketHandle;
use super::network::Network;
use super::request;
use super::topic_reader::TopicReader;
use super::trace::now;
use super::world::World;
use crate::support::read_frame;

/// A reader of the run.
pub struct Reader {
    /// The reader's identity, as nodes know it.
    pub identity: Identity,
    /// The network between this reader and the nodes.
    pub network: Network,
    world: Arc<World>,
    state: Mutex<ReaderState>,
    changed: Notify,
}

/// The part of a reader that changes.
pub(super) struct ReaderState {
    pub(super) connection: Connection,
    sign_in: SignInId,
    socket: Option<SocketHandle>,
    sockets_opened: u64,
    pub(super) topics: BTreeMap<Topic, TopicReader>,
    pub(super) topics_opened: u64,
    /// The epoch of each topic's last `head`. The events that follow it belong to the same epoch.
    epochs: BTreeMap<Topic, Epoch>,
}

impl Reader {
    /// Signs a user in, and opens their page.
    pub fn start(world: &Arc<World>, name: &str) -> Arc<Reader> {
        let id = UserId(name.into());
        let state = ReaderState {
            connection: Connection::default(),
            sign_in: world.accounts.sign_in(&id),
            socket: None,
            sockets_opened: 0,
            topics: BTreeMap::new(),
            topics_opened: 0,
            epochs: BTreeMap::new(),
        };
        let reader = Arc::new(Reader {
            identity: Identity { id, name: name.to_owned().try_into().expect("a valid name") },
            network: Network::new(),
            world: world.clone(),
            state: Mutex::new(state),
            changed: Notify::new(),
        });
        reader.input(Input::Start);
        tokio::spawn(reader.clone().run_clock());
        reader
    }

    /// Returns the world that this reader belongs to.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Returns the visitor that a node sees in a request of this reader.
    pub fn visitor(&self) -> Visitor {
        Visitor { identity: self.identity.clone(), sign_in: self.lock().sign_in, from: [127, 0, 0, 1].into() }
    }

    /// Returns the status of the connection.
    pub fn status(&self) -> Status {
        self.lock().connection.status()
    }

    /// Calls `look` with the open topics.
    pub fn with_topics<T>(&self, look: impl FnOnce(&BTreeMap<Topic, TopicReader>) -> T) -> T {
        look(&self.lock().topics)
    }

    /// Gives the connection an input, and does what it commands.
    pub fn input(self: &Arc<Self>, input: Input) {
        let mut state = self.lock();
        let previous = state.connection.status();
        for command in state.connection.on(input, now(), self.world.rng.fraction()) {
            match command {
                ConnectionCommand::Open => {
                    state.sockets_opened += 1;
                    state.socket = Some(SocketHandle::open(self.clone(), state.sockets_opened));
                }
                ConnectionCommand::Close => state.socket = None,
                ConnectionCommand::CheckSignIn => self.spawn(|reader| async move {
                    let answer = request::me(&reader).await;
                    reader.input(answer);
                }),
                ConnectionCommand::Ping => state.send(&ClientFrame::Ping { at: now() }),
            }
        }
        let status = state.connection.status();
        drop(state);
        if status != previous {
            self.on_status(status);
        }
        self.changed.notify_one();
    }

    /// Handles the end of a socket, or of the attempt to open one.
    pub fn closed(self: &Arc<Self>, number: u64, reason: CloseReason) {
        let mut state = self.lock();
        if state.socket.is_none() || state.sockets_opened != number {
            return;
        }
        state.socket = None;
        drop(state);
        self.world.trace.note(format_args!("{} loses socket {number}: {reason:?}", self.identity.id));
        self.input(Input::Closed(reason));
    }

    /// Handles a frame from a socket.
    pub fn on_frame(self: &Arc<Self>, number: u64, frame: &[u8]) {
        let state = self.lock();
        if state.socket.is_none() || state.sockets_opened != number {
            return;
        }
        drop(state);
        self.input(Input::Heard);
        match read_frame(std::str::from_utf8(frame).expect("a frame is text")) {
            ServerFrame::Welcome(welcome) => {
                self.input(Input::Welcome { heartbeat_secs: welcome.heartbeat_secs });
                let state = self.lock();
                let topics: Vec<Topic> = state.topics.keys().cloned().collect();
                topics.into_iter().for_each(|topic| state.subscribe(topic));
            }
            ServerFrame::Head { topic, epoch, seq } => {
                self.lock().epochs.insert(topic.clone(), epoch.clone());
                self.feed(&topic, |feed| feed.on_head(&epoch, seq));
            }
            ServerFrame::Event(event) => {
                // On every connection, a head comes first.
                let Some(epoch) = self.lock().epochs.get(&event.topic).cloned() else { return };
                self.feed(&event.topic.clone(), |feed| feed.on_event(&epoch, event.seq, event));
            }
            ServerFrame::Refused { topic, .. } => self.refused(topic),
            ServerFrame::Drain { reconnect_after_ms } => self.input(Input::Drain { reconnect_after_ms }),
            ServerFrame::Ping { at } => self.lock().send(&ClientFrame::Pong { at }),
            _ => {}
        }
    }

    /// Reacts to a new status of the connection, as the user or the page does.
    fn on_status(self: &Arc<Self>, status: Status) {
        self.world.trace.note(format_args!("{} is {status:?}", self.identity.id));
        match status {
            Status::SignedOut => self.spawn(|reader| async move {
                reader.world.rng.sleep(500..=4_000).await;
                reader.lock().sign_in = reader.world.accounts.sign_in(&reader.identity.id);
                reader.input(Input::Start);
            }),
            Status::Polling => {
                self.world.trace.count("polling");
                let topics = self.with_topics(|topics| topics.keys().cloned().collect::<Vec<_>>());
                topics.iter().for_each(|topic| self.feed(topic, Feed::wait));
            }
            _ => {}
        }
    }

    async fn run_clock(self: Arc<Self>) {
        loop {
            let wake_at = self.lock().connection.wake_at();
            let wait = Duration::from_millis(wake_at.map_or(0, |at| (at - now()).max(0)) as u64);
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = sleep(wait), if wake_at.is_some() => self.input(Input::Tick),
            }
        }
    }

    /// Runs work that takes time in a task.
    pub(super) fn spawn<W: Future<Output = ()> + Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Reader>) -> W,
    ) {
        tokio::spawn(work(self.clone()));
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ReaderState> {
        self.state.lock().unwrap()
    }
}

impl ReaderState {
    /// Subscribes to a topic, if there is a socket.
    pub(super) fn subscribe(&self, topic: Topic) {
        self.send(&ClientFrame::Subscribe { topic, listed: Default::default() });
    }

    /// Sends a frame, if there is a socket.
    pub(super) fn send(&self, frame: &ClientFrame) {
        if let Some(socket) = &self.socket {
            socket.send(serde_json::to_string(frame).expect("a frame is JSON"));
        }
    }
}
