//! `Driver`: a socket and a clock for a `Connection`, which check its commands.

use shared::{CloseReason, Connection, ConnectionCommand, Input, Millis, Status};

/// Executes the commands of a `Connection`, and gives it only inputs that are possible in its state.
pub(crate) struct Driver {
    pub(crate) connection: Connection,
    pub(crate) now: Millis,
    pub(crate) open: bool,
    welcomed: bool,
    online: bool,
    may_try_offline: bool,
    awaits_me: bool,
    pub(crate) opened: usize,
}

impl Driver {
    pub(crate) fn new() -> Driver {
        Driver {
            connection: Connection::default(),
            now: 0,
            open: false,
            welcomed: false,
            online: true,
            may_try_offline: false,
            awaits_me: false,
            opened: 0,
        }
    }

    pub(crate) fn started() -> Driver {
        let mut driver = Driver::new();
        driver.on(Input::Start, 0.5);
        driver
    }

    pub(crate) fn connected() -> Driver {
        let mut driver = Driver::started();
        driver.on(Input::Welcome { heartbeat_secs: 25 }, 0.5);
        driver
    }

    /// Creates a client that lost its connection after the browser reported that there is no network.
    pub(crate) fn offline() -> Driver {
        let mut driver = Driver::connected();
        driver.on(Input::Online(false), 0.5);
        driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
        driver
    }

    /// Creates a client that has found out that no socket gets through.
    pub(crate) fn polling() -> Driver {
        let mut driver = Driver::started();
        driver.fail_with(Input::SignedIn);
        driver.tick();
        driver.fail_with(Input::SignedIn);
        driver
    }

    /// Gives the connection an input, and executes its commands. Inputs that need an open socket are ignored without
    /// one.
    pub(crate) fn on(&mut self, input: Input, random: f64) -> Vec<ConnectionCommand> {
        match input {
            Input::Welcome { .. } if !self.open || self.welcomed => return Vec::new(),
            Input::Heard | Input::Drain { .. } if !self.welcomed => return Vec::new(),
            Input::Closed(_) if !self.open => return Vec::new(),
            Input::Closed(_) => self.open = false,
            // A network that carries a connection is there, whatever the browser reported.
            Input::Welcome { .. } => {
                self.welcomed = true;
                self.online = true;
            }
            Input::Online(online) => self.online = online,
            Input::SignedIn | Input::SignedOut | Input::RetryAfter(_) | Input::NoSocket(_) => {
                // An answer for which the connection no longer waits proves nothing.
                self.online |= self.awaits_me;
            }
            _ => {}
        }
        // The browser may be wrong about the network, so these inputs allow an attempt all the same.
        self.may_try_offline = matches!(input, Input::ReconnectNow | Input::Visible(true) | Input::Tick);
        let commands = self.connection.on(input, self.now, random);
        let ends_request = matches!(
            input,
            Input::Stop
                | Input::SignedIn
                | Input::SignedOut
                | Input::NoAnswer
                | Input::RetryAfter(_)
                | Input::NoSocket(_)
        );
        self.awaits_me =
            commands.contains(&ConnectionCommand::CheckSignIn) || (self.awaits_me && !ends_request);
        commands.iter().for_each(|command| self.execute(*command));
        commands
    }

    fn execute(&mut self, command: ConnectionCommand) {
        match command {
            ConnectionCommand::Open => {
                assert!(!self.open, "a second socket was opened");
                assert!(self.online || self.may_try_offline, "a socket was opened without a network");
                self.open = true;
                self.welcomed = false;
                self.opened += 1;
            }
            ConnectionCommand::Close => {
                assert!(self.open, "there was no socket to close");
                self.open = false;
            }
            ConnectionCommand::Ping => assert!(self.welcomed && self.open, "there was no socket to ping"),
            ConnectionCommand::CheckSignIn => {
                assert!(!self.open, "an open socket proves by itself that the user is signed in")
            }
        }
    }

    /// Advances the clock to the next tick.
    pub(crate) fn tick(&mut self) -> Vec<ConnectionCommand> {
        self.now = self.connection.wake_at().expect("the connection waits for a tick");
        self.on(Input::Tick, 0.5)
    }

    /// Returns the time until the next attempt. Fails the test unless the connection is waiting.
    pub(crate) fn wait(&self) -> Millis {
        match self.connection.status() {
            Status::Waiting { until } => until - self.now,
            other => panic!("expected to wait, but is {other:?}"),
        }
    }

    /// Fails the current attempt, and answers the request for `/api/me` that follows.
    pub(crate) fn fail_with(&mut self, answer: Input) {
        assert_eq!(self.on(Input::Closed(CloseReason::Other(1006)), 0.5), [ConnectionCommand::CheckSignIn]);
        self.on(answer, 0.5);
    }

    /// Welcomes the connection, and loses it after `millis`.
    pub(crate) fn lose_after(&mut self, millis: Millis) {
        self.on(Input::Welcome { heartbeat_secs: 25 }, 0.5);
        self.now += millis;
        self.on(Input::Closed(CloseReason::Other(1006)), 1.0);
    }
}
