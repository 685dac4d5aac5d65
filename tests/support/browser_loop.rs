//! The loop behind a `TestBrowser`: one socket or none, and what goes on beside it. The feeds are in `browser_feeds`.

use std::collections::BTreeMap;
use std::time::Duration;

use shared::{
    Ack, ClientFrame, CloseReason, Connection, ConnectionCommand, Epoch, Event, EventPage, Feed, Input,
    Millis, Seq, ServerFrame, Status, Topic, endpoint,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::browser::Order;
use super::{Answer, Dice, Person, Socket, Witness, read_frame};

/// How long one's own event may take to come, once it was acknowledged.
const ACK_PATIENCE: Duration = Duration::from_secs(1);

/// What went on beside the loop, and is done.
pub(super) enum Done {
    Opened(u64, Result<Box<Socket>, Error>),
    Me(Result<Answer, reqwest::Error>),
    Page(Topic, Option<EventPage>),
    AckIsDue(Ack),
    PullAgain(Topic),
}

pub(super) struct Loop {
    pub(super) person: Person,
    pub(super) connection: Connection,
    status: Status,
    started: Instant,
    socket: Option<Box<Socket>>,
    /// HeadsOf socket is wanted. An older one that opens too late is hung up on.
    attempt: u64,
    reading: bool,
    pub(super) feeds: BTreeMap<Topic, Feed<Event>>,
    /// The life of the log in which the events of a topic count: what its last `head` named.
    told: BTreeMap<Topic, Epoch>,
    pub(super) beside: JoinSet<Done>,
    pub(super) witness: Box<dyn Witness>,
    dice: Option<Dice>,
}

/// Runs until nobody can give orders any more. Without dice every wait of the ladder is at its floor, so that tests
/// are quick and alike.
pub async fn run(
    person: Person,
    mut orders: mpsc::UnboundedReceiver<Order>,
    witness: impl Witness,
    dice: Option<Dice>,
) {
    let mut this = Loop {
        person,
        connection: Connection::default(),
        status: Status::Stopped,
        started: Instant::now(),
        socket: None,
        attempt: 0,
        reading: true,
        feeds: BTreeMap::new(),
        told: BTreeMap::new(),
        beside: JoinSet::new(),
        witness: Box::new(witness),
        dice,
    };
    this.tell(Input::Start).await;
    loop {
        let tick = this.connection.wake_at().map(|at| this.started + Duration::from_millis(at as u64));
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => this.obey(order).await,
                None => return,
            },
            Some(done) = this.beside.join_next() => match done {
                Ok(done) => this.on_done(done).await,
                // The runtime ends, and with it all that goes on beside.
                Err(error) if error.is_cancelled() => return,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
            message = next(&mut this.socket), if this.reading => this.on_message(message).await,
            () = sleep_until(tick.unwrap_or_else(Instant::now)), if tick.is_some() => this.tell(Input::Tick).await,
        }
    }
}

/// Waits for ever where there is no socket.
async fn next(socket: &mut Option<Box<Socket>>) -> Option<Result<Message, Error>> {
    match socket {
        Some(socket) => socket.next().await,
        None => std::future::pending().await,
    }
}

impl Loop {
    async fn obey(&mut self, order: Order) {
        match order {
            Order::Watch(topic) => {
                self.begin(&topic);
                self.subscribe(topic).await;
            }
            Order::Unwatch(topic) => {
                self.feeds.remove(&topic);
                self.say(&ClientFrame::Unsubscribe { topic }).await;
            }
            Order::StopReading => self.reading = false,
            Order::ReadOn => self.reading = true,
            Order::Acknowledged(ack) => {
                let patience =
                    if self.connection.status() == Status::Connected { ACK_PATIENCE } else { Duration::ZERO };
                self.beside.spawn(async move {
                    sleep(patience).await;
                    Done::AckIsDue(ack)
                });
            }
        }
    }

    async fn on_done(&mut self, done: Done) {
        match done {
            Done::Opened(attempt, _) if attempt != self.attempt => {}
            Done::Opened(_, Ok(socket)) => {
                self.socket = Some(socket);
                self.witness.on_opened();
            }
            Done::Opened(_, Err(_)) => self.tell(Input::Closed(CloseReason::Other(1006))).await,
            Done::Me(answer) => {
                let input = match answer {
                    Ok(answer) if answer.status == 200 => Input::SignedIn,
                    Ok(answer) if answer.status == 204 => Input::SignedOut,
                    Ok(answer) => Input::RetryAfter(answer.problem().retry_after_ms.unwrap_or(0)),
                    Err(_) => Input::NoAnswer,
                };
                self.tell(input).await;
            }
            Done::Page(topic, page) => self.on_page(topic, page),
            Done::PullAgain(topic) => self.pull_again(topic).await,
            Done::AckIsDue(Ack { topic, epoch, seq }) => {
                let at = self.feeds.get(&topic).and_then(Feed::position).map_or(Seq::ZERO, |at| at.seq);
                if at < seq {
                    self.feed(&topic, |feed| feed.on_head(&epoch, seq));
                }
            }
        }
    }

    async fn on_message(&mut self, message: Option<Result<Message, Error>>) {
        match message {
            Some(Ok(Message::Text(text))) => self.on_frame(read_frame(&text)).await,
            Some(Ok(Message::Close(close))) => {
                self.end(close.map_or(1005, |close| close.code.into())).await;
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => self.end(1006).await,
        }
    }

    async fn end(&mut self, code: u16) {
        self.socket = None;
        let reason = CloseReason::from_code(code);
        self.witness.on_closed(reason);
        self.tell(Input::Closed(reason)).await;
    }

    async fn on_frame(&mut self, frame: ServerFrame) {
        self.tell(Input::Heard).await;
        self.witness.on_frame(&frame);
        match frame {
            ServerFrame::Welcome(welcome) => {
                self.tell(Input::Welcome { heartbeat_secs: welcome.heartbeat_secs }).await;
                for topic in self.feeds.keys().cloned().collect::<Vec<_>>() {
                    self.subscribe(topic).await;
                }
            }
            ServerFrame::Head { topic, epoch, seq } => {
                self.told.insert(topic.clone(), epoch.clone());
                self.feed(&topic, |feed| feed.on_head(&epoch, seq));
            }
            ServerFrame::Event(event) => {
                // A head comes first on every connection.
                let Some(epoch) = self.told.get(&event.topic).cloned() else { return };
                self.feed(&event.topic.clone(), |feed| feed.on_event(&epoch, event.seq, event))
            }
            ServerFrame::Ping { at } => self.say(&ClientFrame::Pong { at }).await,
            ServerFrame::Drain { reconnect_after_ms } => self.tell(Input::Drain { reconnect_after_ms }).await,
            _ => {}
        }
    }

    /// Tells the connection what happened, and does what it says.
    pub(super) async fn tell(&mut self, input: Input) {
        let now = self.started.elapsed().as_millis() as Millis;
        let random = self.dice.as_mut().map_or(0.0, Dice::fraction);
        for command in self.connection.on(input, now, random) {
            let person = self.person.clone();
            match command {
                ConnectionCommand::Open => {
                    self.attempt += 1;
                    let attempt = self.attempt;
                    self.beside.spawn(async move {
                        Done::Opened(attempt, Socket::open(&person, &[]).await.map(Box::new))
                    });
                }
                ConnectionCommand::CheckSignIn => {
                    self.beside.spawn(async move { Done::Me(person.try_get(endpoint::ME_FOR_SOCKET).await) });
                }
                ConnectionCommand::Close => {
                    self.attempt += 1;
                    self.socket = None;
                }
                ConnectionCommand::Ping => self.say(&ClientFrame::Ping { at: now }).await,
            }
        }
        let before = std::mem::replace(&mut self.status, self.connection.status());
        if self.status != before {
            self.witness.on_status(self.status);
            if self.status == Status::Polling {
                self.wait_at_every_topic();
            }
        }
    }

    async fn subscribe(&mut self, topic: Topic) {
        if self.connection.status() == Status::Connected {
            self.say(&ClientFrame::Subscribe { topic, listed: Default::default() }).await;
        }
    }

    /// A socket that takes nothing any more is found out by reading.
    async fn say(&mut self, frame: &ClientFrame) {
        if let Some(socket) = &mut self.socket {
            let text = serde_json::to_string(frame).expect("a frame is JSON");
            socket.sends(Message::text(text)).await.ok();
        }
    }
}
