//! What the machine makes of a node that answers while no socket comes through: it has the client poll.

use crate::Millis;
use crate::connection::machine::State;
use crate::connection::{Command, Connection, Input};

/// So many attempts in a row to which the node answered and no socket came: something in between forbids it.
const BLOCKED_AFTER: u32 = 2;
/// How long a client that polls waits before it tries a socket again, at least; at most twice as long.
const PROBE_MS: u64 = 120_000;

impl Connection {
    /// What the node says to a plain request, right after an attempt that came to nothing.
    pub(super) fn answered(&mut self, answer: Input, now: Millis, random: f64) -> Vec<Command> {
        // Whatever the browser was told of the network: an answer came through it.
        self.online |= answer != Input::NoAnswer;
        match answer {
            Input::SignedOut => return self.end(State::SignedOut),
            Input::NoSocket(millis) => return self.poll_until(now + millis as Millis, millis),
            Input::SignedIn => {
                self.blocked += 1;
                if self.blocked >= BLOCKED_AFTER {
                    return self.poll(now, random);
                }
            }
            Input::RetryAfter(millis) => self.drained = Some(millis),
            // A network that is known to forbid sockets still does once it is back.
            _ if self.blocked < BLOCKED_AFTER => self.blocked = 0,
            _ => {}
        }
        self.polling = false;
        self.wait(now, random)
    }

    /// The node told when it may have a socket again; neither the page nor the network cuts that wait short.
    fn poll_until(&mut self, until: Millis, told: u64) -> Vec<Command> {
        self.polling = true;
        self.backoff.reset();
        self.drained = Some(told);
        self.state = State::Waiting { until };
        Vec::new()
    }

    fn poll(&mut self, now: Millis, random: f64) -> Vec<Command> {
        self.polling = true;
        self.backoff.reset();
        let wait = PROBE_MS + (PROBE_MS as f64 * random.clamp(0.0, 1.0)) as u64;
        // A poll that failed puts the next attempt off no further.
        let until = *self.probe_at.get_or_insert(now + wait as Millis);
        self.state = State::Waiting { until };
        Vec::new()
    }

    /// Either the network or the node is away; a plain request tells.
    pub(super) fn poll_failed(&mut self) -> Vec<Command> {
        if !std::mem::take(&mut self.polling) || !matches!(self.state, State::Waiting { .. }) {
            return Vec::new();
        }
        self.state = State::Asking;
        vec![Command::AskMe]
    }
}
