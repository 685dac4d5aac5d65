//! `Connection`: the state machine itself, the consequences of each input in each state.

use crate::backoff::Backoff;
use crate::connection::input::{ConnectionCommand, Input, Status};
use crate::event::Millis;
use crate::problem::CloseReason;

/// The time for a `welcome`, after which the attempt has failed.
const WELCOME_MS_MAX: Millis = 10_000;
/// A connection that lasted this long resets the back-off.
const HEALTHY_MS: Millis = 10_000;
/// The time that a connection in doubt has to answer a ping.
const DOUBT_MS: Millis = 5_000;
/// The pause between two attempts while the browser reports no network.
const OFFLINE_TRY_MS: Millis = 30_000;

/// Failed socket attempts in a row, each while plain HTTP worked, after which the network is taken to block sockets.
const BLOCKED_AFTER: u32 = 2;
/// The least time after which a client that polls tries a socket again; at most it is twice as long.
const PROBE_MS: u64 = 120_000;

/// The state of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ConnectionState {
    Stopped,
    Connecting { since: Millis },
    CheckingSignIn,
    Connected { since: Millis, deadline: Millis, heartbeat_ms: Millis },
    Waiting { until: Millis },
    Offline { until: Millis },
    SignedOut,
    Refused,
}

/// The client's side of the connection to its node.
#[derive(Debug, Clone)]
pub struct Connection {
    state: ConnectionState,
    backoff: Backoff,
    drained: Option<u64>,
    online: bool,
    visible: bool,
    /// Attempts in a row that failed although the node answered a plain request.
    blocked: u32,
    /// True while topics are read by long poll, whatever the state is.
    polling: bool,
    /// The time at which a client that polls tries a socket again.
    probe_at: Option<Millis>,
}

impl Default for Connection {
    fn default() -> Connection {
        Connection {
            state: ConnectionState::Stopped,
            backoff: Backoff::default(),
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
    /// Takes in an event at `now`, in milliseconds of any clock that never goes back. `random` is in `0.0..1.0`.
    pub fn on(&mut self, input: Input, now: Millis, random: f64) -> Vec<ConnectionCommand> {
        match input {
            Input::Start => self.start(now),
            Input::Stop => self.end(ConnectionState::Stopped),
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
                if self.state == ConnectionState::CheckingSignIn {
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
                ConnectionState::Waiting { .. }
                | ConnectionState::Offline { .. }
                | ConnectionState::Refused => self.try_now(now),
                _ => Vec::new(),
            },
            Input::Tick => self.tick(now, random),
        }
    }

    /// Returns the status for the person.
    pub fn status(&self) -> Status {
        match self.state {
            _ if self.polling => Status::Polling,
            ConnectionState::Stopped => Status::Stopped,
            // An attempt without a network must not make the status flicker.
            ConnectionState::Connecting { .. } | ConnectionState::CheckingSignIn if !self.online => {
                Status::Offline
            }
            ConnectionState::Connecting { .. } | ConnectionState::CheckingSignIn => Status::Connecting,
            ConnectionState::Connected { .. } => Status::Connected,
            ConnectionState::Waiting { until } => Status::Waiting { until },
            ConnectionState::Offline { .. } => Status::Offline,
            ConnectionState::SignedOut => Status::SignedOut,
            ConnectionState::Refused => Status::Refused,
        }
    }

    /// Returns the time at which the machine wants its next [`Input::Tick`].
    pub fn wake_at(&self) -> Option<Millis> {
        match self.state {
            ConnectionState::Connecting { since } => Some(since + WELCOME_MS_MAX),
            ConnectionState::Connected { deadline, .. } => Some(deadline),
            ConnectionState::Waiting { until } | ConnectionState::Offline { until } => Some(until),
            _ => None,
        }
    }

    fn start(&mut self, now: Millis) -> Vec<ConnectionCommand> {
        match self.state {
            ConnectionState::Stopped | ConnectionState::SignedOut | ConnectionState::Refused => {
                self.backoff.reset();
                self.open(now)
            }
            _ => Vec::new(),
        }
    }

    fn end(&mut self, state: ConnectionState) -> Vec<ConnectionCommand> {
        let open =
            matches!(self.state, ConnectionState::Connecting { .. } | ConnectionState::Connected { .. });
        self.end_closed(state);
        if open { vec![ConnectionCommand::Close] } else { Vec::new() }
    }

    fn open(&mut self, now: Millis) -> Vec<ConnectionCommand> {
        if self.online {
            return self.try_now(now);
        }
        self.go_offline(now)
    }

    fn try_now(&mut self, now: Millis) -> Vec<ConnectionCommand> {
        self.drained = None;
        self.probe_at = None;
        self.state = ConnectionState::Connecting { since: now };
        vec![ConnectionCommand::Open]
    }

    fn go_offline(&mut self, now: Millis) -> Vec<ConnectionCommand> {
        self.state = ConnectionState::Offline { until: now + OFFLINE_TRY_MS };
        self.polling = false;
        Vec::new()
    }

    fn welcomed(&mut self, heartbeat_secs: u32, now: Millis) -> Vec<ConnectionCommand> {
        if let ConnectionState::Connecting { .. } = self.state {
            let heartbeat_ms = Millis::from(heartbeat_secs) * 1_000;
            self.state =
                ConnectionState::Connected { since: now, deadline: now + 2 * heartbeat_ms, heartbeat_ms };
            self.blocked = 0;
            self.polling = false;
            // The browser may still report no network; there is one.
            self.online = true;
        }
        Vec::new()
    }

    fn heard(&mut self, now: Millis) -> Vec<ConnectionCommand> {
        if let ConnectionState::Connected { deadline, heartbeat_ms, .. } = &mut self.state {
            *deadline = now + 2 * *heartbeat_ms;
        }
        Vec::new()
    }

    fn closed(&mut self, reason: CloseReason, now: Millis, random: f64) -> Vec<ConnectionCommand> {
        match self.state {
            _ if reason == CloseReason::IdentityEnded => self.end_closed(ConnectionState::SignedOut),
            _ if !reason.comes_back() => self.end_closed(ConnectionState::Refused),
            // A connection that ends before its welcome gives no reason: browsers hide the status.
            ConnectionState::Connecting { .. } => {
                self.state = ConnectionState::CheckingSignIn;
                vec![ConnectionCommand::CheckSignIn]
            }
            ConnectionState::Connected { since, .. } => {
                if now - since >= HEALTHY_MS {
                    self.backoff.reset();
                }
                self.wait(now, random)
            }
            _ => Vec::new(),
        }
    }

    fn end_closed(&mut self, state: ConnectionState) -> Vec<ConnectionCommand> {
        self.state = state;
        self.drained = None;
        self.polling = false;
        Vec::new()
    }

    fn wait(&mut self, now: Millis, random: f64) -> Vec<ConnectionCommand> {
        if !self.online {
            return self.go_offline(now);
        }
        let wait = match self.drained {
            Some(reconnect_after_ms) => reconnect_after_ms,
            None if self.visible => self.backoff.next_ms(random),
            None => Backoff::slowest_ms(random),
        };
        self.state = ConnectionState::Waiting { until: now + wait as Millis };
        Vec::new()
    }

    fn online(&mut self, online: bool, now: Millis) -> Vec<ConnectionCommand> {
        self.online = online;
        match self.state {
            ConnectionState::Offline { .. } if online => self.open(now),
            ConnectionState::Waiting { .. } if online && self.drained.is_none() => self.open(now),
            ConnectionState::Waiting { .. } if !online => self.go_offline(now),
            _ => self.doubt(now),
        }
    }

    fn visible(&mut self, visible: bool, now: Millis) -> Vec<ConnectionCommand> {
        self.visible = visible;
        match self.state {
            ConnectionState::Waiting { .. } if visible && self.drained.is_none() => self.open(now),
            ConnectionState::Offline { .. } if visible => self.try_now(now),
            _ if visible => self.doubt(now),
            _ => Vec::new(),
        }
    }

    /// After a sleep or a change of network, a socket may be dead without an error: ping it, and do not wait long.
    fn doubt(&mut self, now: Millis) -> Vec<ConnectionCommand> {
        let ConnectionState::Connected { deadline, .. } = &mut self.state else { return Vec::new() };
        *deadline = (*deadline).min(now + DOUBT_MS);
        vec![ConnectionCommand::Ping]
    }

    fn tick(&mut self, now: Millis, random: f64) -> Vec<ConnectionCommand> {
        if self.wake_at().is_none_or(|at| now < at) {
            return Vec::new();
        }
        match self.state {
            ConnectionState::Waiting { .. } | ConnectionState::Offline { .. } => self.try_now(now),
            ConnectionState::Connecting { .. } | ConnectionState::Connected { .. } => {
                let mut commands = vec![ConnectionCommand::Close];
                commands.extend(self.closed(CloseReason::Other(1006), now, random));
                commands
            }
            _ => Vec::new(),
        }
    }

    /// Takes in the node's answer to a plain request, right after an attempt that failed.
    fn answered(&mut self, answer: Input, now: Millis, random: f64) -> Vec<ConnectionCommand> {
        // The browser may report no network; an answer shows that there is one.
        self.online |= answer != Input::NoAnswer;
        match answer {
            Input::SignedOut => return self.end(ConnectionState::SignedOut),
            Input::NoSocket(millis) => return self.poll_until(now + millis as Millis, millis),
            Input::SignedIn => {
                self.blocked += 1;
                if self.blocked >= BLOCKED_AFTER {
                    return self.poll(now, random);
                }
            }
            Input::RetryAfter(millis) => self.drained = Some(millis),
            // A network that is known to block sockets still does when it comes back.
            _ if self.blocked < BLOCKED_AFTER => self.blocked = 0,
            _ => {}
        }
        self.polling = false;
        self.wait(now, random)
    }

    /// Polls until the time at which the node may have a socket again. Neither the tab nor the network cuts that short.
    fn poll_until(&mut self, until: Millis, retry_after_ms: u64) -> Vec<ConnectionCommand> {
        self.polling = true;
        self.backoff.reset();
        self.drained = Some(retry_after_ms);
        self.state = ConnectionState::Waiting { until };
        Vec::new()
    }

    fn poll(&mut self, now: Millis, random: f64) -> Vec<ConnectionCommand> {
        self.polling = true;
        self.backoff.reset();
        let wait = PROBE_MS + (PROBE_MS as f64 * random.clamp(0.0, 1.0)) as u64;
        // A failed poll must not postpone the next attempt.
        let until = *self.probe_at.get_or_insert(now + wait as Millis);
        self.state = ConnectionState::Waiting { until };
        Vec::new()
    }

    /// Finds out by a plain request if the network or the node is gone.
    fn poll_failed(&mut self) -> Vec<ConnectionCommand> {
        if !std::mem::take(&mut self.polling) || !matches!(self.state, ConnectionState::Waiting { .. }) {
            return Vec::new();
        }
        self.state = ConnectionState::CheckingSignIn;
        vec![ConnectionCommand::CheckSignIn]
    }
}
