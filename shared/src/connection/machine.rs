//! The machine itself: what each input means in each state.

use crate::connection::{Command, Input, Status};
use crate::{Backoff, CloseReason, Millis};

/// No `welcome` after this long: the attempt has failed.
const WELCOME_MS_MAX: Millis = 10_000;
/// A connection that held this long has earned a fresh ladder.
const HEALTHY_MS: Millis = 10_000;
/// How long a doubtful connection has to answer a ping.
const DOUBT_MS: Millis = 5_000;
/// The pause between two attempts at a socket while the browser says that there is no network.
const OFFLINE_TRY_MS: Millis = 30_000;

/// Where the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Stopped,
    Connecting { since: Millis },
    Asking,
    Connected { since: Millis, deadline: Millis, heartbeat_ms: Millis },
    Waiting { until: Millis },
    Offline { until: Millis },
    SignedOut,
    Refused,
}

/// The client's side of the connection to its node.
#[derive(Debug, Clone)]
pub struct Connection {
    pub(super) state: State,
    pub(super) backoff: Backoff,
    pub(super) drained: Option<u64>,
    pub(super) online: bool,
    visible: bool,
    /// Attempts in a row after which the node answered a plain request.
    pub(super) blocked: u32,
    /// Whether the reading goes on by long poll, whatever the state is.
    pub(super) polling: bool,
    /// When one that polls tries a socket again.
    pub(super) probe_at: Option<Millis>,
}

impl Default for Connection {
    fn default() -> Connection {
        let (state, backoff) = (State::Stopped, Backoff::default());
        Connection {
            state,
            backoff,
            drained: None,
            online: true,
            visible: true,
            blocked: 0,
            polling: false,
            probe_at: None,
        }
    }
}

impl Connection {
    /// Takes in what happened at `now` (milliseconds of any clock that never goes back); `random` is in `0.0..1.0`.
    pub fn on(&mut self, input: Input, now: Millis, random: f64) -> Vec<Command> {
        match input {
            Input::Start => self.start(now),
            Input::Stop => self.end(State::Stopped),
            Input::Welcome { heartbeat_secs } => self.welcomed(heartbeat_secs, now),
            Input::Heard => self.heard(now),
            Input::Drain { reconnect_after_ms } => {
                self.drained = Some(reconnect_after_ms);
                Vec::new()
            }
            Input::Closed(reason) => self.closed(reason, now, random),
            Input::SignedIn
            | Input::SignedOut
            | Input::NoAnswer
            | Input::RetryAfter(_)
            | Input::NoSocket(_) => {
                if self.state == State::Asking {
                    self.answered(input, now, random)
                } else {
                    Vec::new()
                }
            }
            Input::PollFailed => self.poll_failed(),
            Input::Online(online) => self.online(online, now),
            Input::Visible(visible) => self.visible(visible, now),
            Input::ReconnectNow => match self.state {
                // The person knows better than the browser whether there is a network.
                State::Waiting { .. } | State::Offline { .. } | State::Refused => self.try_now(now),
                _ => Vec::new(),
            },
            Input::Tick => self.tick(now, random),
        }
    }

    /// What to tell the person.
    pub fn status(&self) -> Status {
        match self.state {
            _ if self.polling => Status::Polling,
            State::Stopped => Status::Stopped,
            // Tried all the same, and nobody is to see it flicker.
            State::Connecting { .. } | State::Asking if !self.online => Status::Offline,
            State::Connecting { .. } | State::Asking => Status::Connecting,
            State::Connected { .. } => Status::Connected,
            State::Waiting { until } => Status::Waiting { until },
            State::Offline { .. } => Status::Offline,
            State::SignedOut => Status::SignedOut,
            State::Refused => Status::Refused,
        }
    }

    /// When the machine wants its next [`Input::Tick`].
    pub fn wake_at(&self) -> Option<Millis> {
        match self.state {
            State::Connecting { since } => Some(since + WELCOME_MS_MAX),
            State::Connected { deadline, .. } => Some(deadline),
            State::Waiting { until } | State::Offline { until } => Some(until),
            _ => None,
        }
    }

    fn start(&mut self, now: Millis) -> Vec<Command> {
        match self.state {
            State::Stopped | State::SignedOut | State::Refused => {
                self.backoff.reset();
                self.open(now)
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn end(&mut self, state: State) -> Vec<Command> {
        let open = matches!(self.state, State::Connecting { .. } | State::Connected { .. });
        self.end_closed(state);
        if open { vec![Command::Close] } else { Vec::new() }
    }

    fn open(&mut self, now: Millis) -> Vec<Command> {
        if self.online {
            return self.try_now(now);
        }
        self.go_offline(now)
    }

    fn try_now(&mut self, now: Millis) -> Vec<Command> {
        self.drained = None;
        self.probe_at = None;
        self.state = State::Connecting { since: now };
        vec![Command::Open]
    }

    fn go_offline(&mut self, now: Millis) -> Vec<Command> {
        self.state = State::Offline { until: now + OFFLINE_TRY_MS };
        self.polling = false;
        Vec::new()
    }

    fn welcomed(&mut self, heartbeat_secs: u32, now: Millis) -> Vec<Command> {
        if let State::Connecting { .. } = self.state {
            let heartbeat_ms = Millis::from(heartbeat_secs) * 1_000;
            self.state = State::Connected { since: now, deadline: now + 2 * heartbeat_ms, heartbeat_ms };
            self.blocked = 0;
            self.polling = false;
            // Whatever the page was told of the network: it is there.
            self.online = true;
        }
        Vec::new()
    }

    fn heard(&mut self, now: Millis) -> Vec<Command> {
        if let State::Connected { deadline, heartbeat_ms, .. } = &mut self.state {
            *deadline = now + 2 * *heartbeat_ms;
        }
        Vec::new()
    }

    fn closed(&mut self, reason: CloseReason, now: Millis, random: f64) -> Vec<Command> {
        match self.state {
            _ if reason == CloseReason::IdentityEnded => self.end_closed(State::SignedOut),
            _ if !reason.comes_back() => self.end_closed(State::Refused),
            // Before its welcome a connection ends without saying why: browsers hide the status.
            State::Connecting { .. } => {
                self.state = State::Asking;
                vec![Command::AskMe]
            }
            State::Connected { since, .. } => {
                if now - since >= HEALTHY_MS {
                    self.backoff.reset();
                }
                self.wait(now, random)
            }
            _ => Vec::new(),
        }
    }

    fn end_closed(&mut self, state: State) -> Vec<Command> {
        self.state = state;
        self.drained = None;
        self.polling = false;
        Vec::new()
    }

    pub(super) fn wait(&mut self, now: Millis, random: f64) -> Vec<Command> {
        if !self.online {
            return self.go_offline(now);
        }
        let wait = match self.drained {
            Some(told) => told,
            None if self.visible => self.backoff.next_ms(random),
            None => Backoff::slowest_ms(random),
        };
        self.state = State::Waiting { until: now + wait as Millis };
        Vec::new()
    }

    fn online(&mut self, online: bool, now: Millis) -> Vec<Command> {
        self.online = online;
        match self.state {
            State::Offline { .. } if online => self.open(now),
            State::Waiting { .. } if online && self.drained.is_none() => self.open(now),
            State::Waiting { .. } if !online => self.go_offline(now),
            _ => self.doubt(now),
        }
    }

    fn visible(&mut self, visible: bool, now: Millis) -> Vec<Command> {
        self.visible = visible;
        match self.state {
            State::Waiting { .. } if visible && self.drained.is_none() => self.open(now),
            State::Offline { .. } if visible => self.try_now(now),
            _ if visible => self.doubt(now),
            _ => Vec::new(),
        }
    }

    /// After a sleep or a change of network a socket may be dead without knowing: ask it, and do not wait long.
    fn doubt(&mut self, now: Millis) -> Vec<Command> {
        let State::Connected { deadline, .. } = &mut self.state else { return Vec::new() };
        *deadline = (*deadline).min(now + DOUBT_MS);
        vec![Command::Ping]
    }

    fn tick(&mut self, now: Millis, random: f64) -> Vec<Command> {
        if self.wake_at().is_none_or(|at| now < at) {
            return Vec::new();
        }
        match self.state {
            State::Waiting { .. } | State::Offline { .. } => self.try_now(now),
            State::Connecting { .. } | State::Connected { .. } => {
                let mut commands = vec![Command::Close];
                commands.extend(self.closed(CloseReason::Other(1006), now, random));
                commands
            }
            _ => Vec::new(),
        }
    }
}
