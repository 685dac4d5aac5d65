//! The loop behind a `TestBrowser`: at most one socket, and tasks for requests and delays. The feeds are in
//! `browser_feeds`.

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

use super::browser::BrowserCommand;
use super::{ClientObserver, Person, Rng, Socket, TestResponse, read_frame};

/// The push of the browser's own event may arrive this long after its acknowledgement. Then the event is pulled.
const ACK_PATIENCE: Duration = Duration::from_secs(1);

/// The output of a task.
pub(super) enum TaskOutput {
    Opened(u64, Result<Box<Socket>, Error>),
    Me(Result<TestResponse, reqwest::Error>),
    Page(Topic, Option<EventPage>),
    AckIsDue(Ack),
    RetryPull(Topic),
}

pub(super) struct BrowserLoop {
    pub(super) person: Person,
    pub(super) connection: Connection,
    status: Status,
    started: Instant,
    socket: Option<Box<Socket>>,
    /// The number of the current attempt to open a socket. A socket of an earlier attempt is dropped.
    attempt: u64,
    reading: bool,
    pub(super) feeds: BTreeMap<Topic, Feed<Event>>,
    /// The epoch of each topic's last `head`. The events that follow it belong to the same epoch.
    epochs: BTreeMap<Topic, Epoch>,
    pub(super) tasks: JoinSet<TaskOutput>,
    pub(super) observer: Box<dyn ClientObserver>,
    rng: Option<Rng>,
}

/// Runs until the sender of commands is dropped. Without a generator every reconnect delay is as short as possible, so
/// that tests are quick and repeatable.
pub async fn run(
    person: Person,
    mut commands: mpsc::UnboundedReceiver<BrowserCommand>,
    observer: impl ClientObserver,
    rng: Option<Rng>,
) {
    let mut this = BrowserLoop {
        person,
        connection: Connection::default(),
        status: Status::Stopped,
        started: Instant::now(),
        socket: None,
        attempt: 0,
        reading: true,
        feeds: BTreeMap::new(),
        epochs: BTreeMap::new(),
        tasks: JoinSet::new(),
        observer: Box::new(observer),
        rng,
    };
    this.input(Input::Start).await;
    loop {
        let tick = this.connection.wake_at().map(|at| this.started + Duration::from_millis(at as u64));
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => this.on_command(command).await,
                None => return,
            },
            Some(output) = this.tasks.join_next() => match output {
                Ok(output) => this.on_task_output(output).await,
                // The runtime is shutting down.
                Err(error) if error.is_cancelled() => return,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
            message = next(&mut this.socket), if this.reading => this.on_message(message).await,
            () = sleep_until(tick.unwrap_or_else(Instant::now)), if tick.is_some() => this.input(Input::Tick).await,
        }
    }
}

/// Returns the next message; never, if there is no socket.
async fn next(socket: &mut Option<Box<Socket>>) -> Option<Result<Message, Error>> {
    match socket {
        Some(socket) => socket.next().await,
        None => std::future::pending().await,
    }
}

impl BrowserLoop {
    async fn on_command(&mut self, command: BrowserCommand) {
        match command {
            BrowserCommand::Watch(topic) => {
                self.open_topic(&topic);
                self.subscribe(topic).await;
            }
            BrowserCommand::Unwatch(topic) => {
                self.feeds.remove(&topic);
                self.send(&ClientFrame::Unsubscribe { topic }).await;
            }
            BrowserCommand::StopReading => self.reading = false,
            BrowserCommand::ResumeReading => self.reading = true,
            BrowserCommand::Acknowledged(ack) => {
                let is_connected = self.connection.status() == Status::Connected;
                let patience = if is_connected { ACK_PATIENCE } else { Duration::ZERO };
                self.tasks.spawn(async move {
                    sleep(patience).await;
                    TaskOutput::AckIsDue(ack)
                });
            }
        }
    }

    async fn on_task_output(&mut self, output: TaskOutput) {
        match output {
            TaskOutput::Opened(attempt, _) if attempt != self.attempt => {}
            TaskOutput::Opened(_, Ok(socket)) => {
                self.socket = Some(socket);
                self.observer.on_opened();
            }
            TaskOutput::Opened(_, Err(_)) => self.input(Input::Closed(CloseReason::Other(1006))).await,
            TaskOutput::Me(answer) => {
                let input = match answer {
                    Ok(answer) if answer.status == 200 => Input::SignedIn,
                    Ok(answer) if answer.status == 204 => Input::SignedOut,
                    Ok(answer) => Input::RetryAfter(answer.problem().retry_after_ms.unwrap_or(0)),
                    Err(_) => Input::NoAnswer,
                };
                self.input(input).await;
            }
            TaskOutput::Page(topic, page) => self.on_page(topic, page),
            TaskOutput::RetryPull(topic) => self.retry_pull(topic).await,
            TaskOutput::AckIsDue(Ack { topic, epoch, seq }) => {
                let position = self.feeds.get(&topic).and_then(Feed::position);
                if position.map_or(Seq::ZERO, |position| position.seq) < seq {
                    self.feed(&topic, |feed| feed.on_head(&epoch, seq));
                }
            }
        }
    }

    async fn on_message(&mut self, message: Option<Result<Message, Error>>) {
        match message {
            Some(Ok(Message::Text(text))) => self.on_frame(read_frame(&text)).await,
            Some(Ok(Message::Close(close))) => {
                self.on_close(close.map_or(1005, |close| close.code.into())).await;
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => self.on_close(1006).await,
        }
    }

    async fn on_close(&mut self, code: u16) {
        self.socket = None;
        let reason = CloseReason::from_code(code);
        self.observer.on_closed(reason);
        self.input(Input::Closed(reason)).await;
    }

    async fn on_frame(&mut self, frame: ServerFrame) {
        self.input(Input::Heard).await;
        self.observer.on_frame(&frame);
        match frame {
            ServerFrame::Welcome(welcome) => {
                self.input(Input::Welcome { heartbeat_secs: welcome.heartbeat_secs }).await;
                for topic in self.feeds.keys().cloned().collect::<Vec<_>>() {
                    self.subscribe(topic).await;
                }
            }
            ServerFrame::Head { topic, epoch, seq } => {
                self.epochs.insert(topic.clone(), epoch.clone());
                self.feed(&topic, |feed| feed.on_head(&epoch, seq));
            }
            ServerFrame::Event(event) => {
                // On every connection, a head comes first.
                let Some(epoch) = self.epochs.get(&event.topic).cloned() else { return };
                self.feed(&event.topic.clone(), |feed| feed.on_event(&epoch, event.seq, event))
            }
            ServerFrame::Ping { at } => self.send(&ClientFrame::Pong { at }).await,
            ServerFrame::Drain { reconnect_after_ms } => {
                self.input(Input::Drain { reconnect_after_ms }).await
            }
            _ => {}
        }
    }

    /// Gives the connection an input, and does what it commands.
    pub(super) async fn input(&mut self, input: Input) {
        let now = self.started.elapsed().as_millis() as Millis;
        let random = self.rng.as_mut().map_or(0.0, Rng::fraction);
        for command in self.connection.on(input, now, random) {
            let person = self.person.clone();
            match command {
                ConnectionCommand::Open => {
                    self.attempt += 1;
                    let attempt = self.attempt;
                    self.tasks.spawn(async move {
                        TaskOutput::Opened(attempt, Socket::open(&person, &[]).await.map(Box::new))
                    });
                }
                ConnectionCommand::CheckSignIn => {
                    self.tasks
                        .spawn(async move { TaskOutput::Me(person.try_get(endpoint::ME_FOR_SOCKET).await) });
                }
                ConnectionCommand::Close => {
                    self.attempt += 1;
                    self.socket = None;
                }
                ConnectionCommand::Ping => self.send(&ClientFrame::Ping { at: now }).await,
            }
        }
        let previous = std::mem::replace(&mut self.status, self.connection.status());
        if self.status != previous {
            self.observer.on_status(self.status);
            if self.status == Status::Polling {
                self.poll_every_topic();
            }
        }
    }

    async fn subscribe(&mut self, topic: Topic) {
        if self.connection.status() == Status::Connected {
            self.send(&ClientFrame::Subscribe { topic, listed: Default::default() }).await;
        }
    }

    /// Sends a frame. Errors are ignored, since the next read reports them too.
    async fn send(&mut self, frame: &ClientFrame) {
        if let Some(socket) = &mut self.socket {
            let text = serde_json::to_string(frame).expect("a frame is JSON");
            socket.send_message(Message::text(text)).await.ok();
        }
    }
}
