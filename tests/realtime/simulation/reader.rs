//! `Reader`: a person before a page. The real `Connection` and `Feed`s, driven as the browser's client drives them.
//!
//! Everything that happens to it is a call that returns at once; what takes time runs beside it and calls back.

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

use super::link::Line;
use super::network::Network;
use super::reading::Reading;
use super::request;
use super::trace::now;
use super::world::World;
use crate::support::read_frame;

/// See the module.
pub struct Reader {
    /// As others see them.
    pub identity: Identity,
    /// What lies between them and the nodes.
    pub network: Network,
    world: Arc<World>,
    state: Mutex<State>,
    changed: Notify,
}

/// What changes about a reader.
pub(super) struct State {
    pub(super) connection: Connection,
    sign_in: SignInId,
    line: Option<Line>,
    lines: u64,
    pub(super) readings: BTreeMap<Topic, Reading>,
    pub(super) openings: u64,
    /// The life of the log in which the events of a topic count: what its last `head` named.
    told: BTreeMap<Topic, Epoch>,
}

impl Reader {
    /// Somebody who has signed in, and whose page is connected from now on.
    pub fn start(world: &Arc<World>, name: &str) -> Arc<Reader> {
        let id = UserId(name.into());
        let state = State {
            connection: Connection::default(),
            sign_in: world.people.sign_in(&id),
            line: None,
            lines: 0,
            readings: BTreeMap::new(),
            openings: 0,
            told: BTreeMap::new(),
        };
        let identity = Identity { id, name: name.to_owned().try_into().expect("a good name") };
        let (network, world, changed) = (Network::new(), world.clone(), Notify::new());
        let reader = Arc::new(Reader { identity, network, world, state: Mutex::new(state), changed });
        reader.tell(Input::Start);
        tokio::spawn(reader.clone().run_clock());
        reader
    }

    /// Where they live.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Who a node takes them for.
    pub fn visitor(&self) -> Visitor {
        Visitor { identity: self.identity.clone(), sign_in: self.lock().sign_in, from: [127, 0, 0, 1].into() }
    }

    /// What their badge shows.
    pub fn status(&self) -> Status {
        self.lock().connection.status()
    }

    /// Looks at what they have read of each topic they have open.
    pub fn look<T>(&self, look: impl FnOnce(&BTreeMap<Topic, Reading>) -> T) -> T {
        look(&self.lock().readings)
    }

    /// Tells the connection what happened, and does what it says.
    pub fn tell(self: &Arc<Self>, input: Input) {
        let mut state = self.lock();
        let was = state.connection.status();
        for command in state.connection.on(input, now(), self.world.chance.unit()) {
            match command {
                ConnectionCommand::Open => {
                    state.lines += 1;
                    state.line = Some(Line::open(self.clone(), state.lines));
                }
                ConnectionCommand::Close => state.line = None,
                ConnectionCommand::CheckSignIn => self.beside(|reader| async move {
                    let answer = request::me(&reader).await;
                    reader.tell(answer);
                }),
                ConnectionCommand::Ping => state.say(&ClientFrame::Ping { at: now() }),
            }
        }
        let status = state.connection.status();
        drop(state);
        if status != was {
            self.show(status);
        }
        self.changed.notify_one();
    }

    /// A link is closed, or never came about.
    pub fn closed(self: &Arc<Self>, number: u64, reason: CloseReason) {
        let mut state = self.lock();
        if state.line.is_none() || state.lines != number {
            return;
        }
        state.line = None;
        drop(state);
        self.world.trace.note(format_args!("{} loses socket {number}: {reason:?}", self.identity.id));
        self.tell(Input::Closed(reason));
    }

    /// A frame came through a link.
    pub fn hears(self: &Arc<Self>, number: u64, frame: &[u8]) {
        let state = self.lock();
        if state.line.is_none() || state.lines != number {
            return;
        }
        drop(state);
        self.tell(Input::Heard);
        match read_frame(std::str::from_utf8(frame).expect("a frame is text")) {
            ServerFrame::Welcome(welcome) => {
                self.tell(Input::Welcome { heartbeat_secs: welcome.heartbeat_secs });
                let state = self.lock();
                let topics: Vec<Topic> = state.readings.keys().cloned().collect();
                topics.into_iter().for_each(|topic| state.subscribe(topic));
            }
            ServerFrame::Head { topic, epoch, seq } => {
                self.lock().told.insert(topic.clone(), epoch.clone());
                self.feed(&topic, |feed| feed.on_head(&epoch, seq));
            }
            ServerFrame::Event(event) => {
                // A head comes first on every connection.
                let Some(epoch) = self.lock().told.get(&event.topic).cloned() else { return };
                self.feed(&event.topic.clone(), |feed| feed.on_event(&epoch, event.seq, event));
            }
            ServerFrame::Refused { topic, .. } => self.refused(topic),
            ServerFrame::Drain { reconnect_after_ms } => self.tell(Input::Drain { reconnect_after_ms }),
            ServerFrame::Ping { at } => self.lock().say(&ClientFrame::Pong { at }),
            _ => {}
        }
    }

    /// What a person does about what the badge says.
    fn show(self: &Arc<Self>, status: Status) {
        self.world.trace.note(format_args!("{} is {status:?}", self.identity.id));
        match status {
            Status::SignedOut => self.beside(|reader| async move {
                reader.world.chance.pause(500..=4_000).await;
                reader.lock().sign_in = reader.world.people.sign_in(&reader.identity.id);
                reader.tell(Input::Start);
            }),
            Status::Polling => {
                self.world.trace.count("polling");
                let topics = self.look(|readings| readings.keys().cloned().collect::<Vec<_>>());
                topics.iter().for_each(|topic| self.feed(topic, Feed::wait));
            }
            _ => {}
        }
    }

    async fn run_clock(self: Arc<Self>) {
        loop {
            let at = self.lock().connection.wake_at();
            let wait = Duration::from_millis(at.map_or(0, |at| (at - now()).max(0)) as u64);
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = sleep(wait), if at.is_some() => self.tell(Input::Tick),
            }
        }
    }

    /// Lets something that takes time run beside.
    pub(super) fn beside<W: Future<Output = ()> + Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Reader>) -> W,
    ) {
        tokio::spawn(work(self.clone()));
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    /// Says that it listens.
    pub(super) fn subscribe(&self, topic: Topic) {
        self.say(&ClientFrame::Subscribe { topic, listed: Default::default() });
    }

    /// Sends a frame, if there is a link.
    pub(super) fn say(&self, frame: &ClientFrame) {
        if let Some(line) = &self.line {
            line.say(serde_json::to_string(frame).expect("a frame is JSON"));
        }
    }
}
