//! `Driver`: a socket and a clock around the `Connection`, which keep watch over what it commands.

use shared::{CloseReason, Connection, ConnectionCommand, Input, Millis, Status};

/// Does what the machine says, and tells it only what a socket could.
pub(crate) struct Driver {
    pub(crate) machine: Connection,
    pub(crate) now: Millis,
    pub(crate) open: bool,
    welcomed: bool,
    online: bool,
    insisted: bool,
    asked: bool,
    pub(crate) opened: usize,
}

impl Driver {
    pub(crate) fn new() -> Driver {
        let machine = Connection::default();
        Driver {
            machine,
            now: 0,
            open: false,
            welcomed: false,
            online: true,
            insisted: false,
            asked: false,
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

    /// A client that lost its connection after the browser said that there is no network.
    pub(crate) fn offline() -> Driver {
        let mut driver = Driver::connected();
        driver.on(Input::Online(false), 0.5);
        driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
        driver
    }

    /// A client that found that no socket comes through.
    pub(crate) fn polling() -> Driver {
        let mut driver = Driver::started();
        driver.fails_and_hears(Input::SignedIn);
        driver.ticks();
        driver.fails_and_hears(Input::SignedIn);
        driver
    }

    /// What can only come from an open socket is not told without one.
    pub(crate) fn on(&mut self, input: Input, random: f64) -> Vec<ConnectionCommand> {
        match input {
            Input::Welcome { .. } if !self.open || self.welcomed => return Vec::new(),
            Input::Heard | Input::Drain { .. } if !self.welcomed => return Vec::new(),
            Input::Closed(_) if !self.open => return Vec::new(),
            Input::Closed(_) => self.open = false,
            // What carries a connection is there, whatever was told of it.
            Input::Welcome { .. } => (self.welcomed, self.online) = (true, true),
            Input::Online(online) => self.online = online,
            Input::SignedIn | Input::SignedOut | Input::RetryAfter(_) | Input::NoSocket(_) => {
                // An answer that nobody waits for any more counts for nothing.
                self.online |= self.asked;
            }
            _ => {}
        }
        // The browser may be wrong: a person, a page that is shown and time are no less right about the network.
        self.insisted = matches!(input, Input::ReconnectNow | Input::Visible(true) | Input::Tick);
        let commands = self.machine.on(input, self.now, random);
        let is_settled = matches!(
            input,
            Input::Stop
                | Input::SignedIn
                | Input::SignedOut
                | Input::NoAnswer
                | Input::RetryAfter(_)
                | Input::NoSocket(_)
        );
        self.asked = commands.contains(&ConnectionCommand::CheckSignIn) || (self.asked && !is_settled);
        commands.iter().for_each(|command| self.obey(*command));
        commands
    }

    fn obey(&mut self, command: ConnectionCommand) {
        match command {
            ConnectionCommand::Open => {
                assert!(!self.open, "a second socket was opened");
                assert!(self.online || self.insisted, "a socket was opened without a network");
                (self.open, self.welcomed) = (true, false);
                self.opened += 1;
            }
            ConnectionCommand::Close => {
                assert!(self.open, "nothing was open");
                self.open = false;
            }
            ConnectionCommand::Ping => assert!(self.welcomed && self.open, "there is nobody to ping"),
            ConnectionCommand::CheckSignIn => {
                assert!(!self.open, "an open socket says by itself who is signed in")
            }
        }
    }

    /// Lets the time of the next tick come.
    pub(crate) fn ticks(&mut self) -> Vec<ConnectionCommand> {
        self.now = self.machine.wake_at().expect("the machine waits for a tick");
        self.on(Input::Tick, 0.5)
    }

    /// How long the machine says that it waits.
    pub(crate) fn wait(&self) -> Millis {
        match self.machine.status() {
            Status::Waiting { until } => until - self.now,
            other => panic!("{other:?} is no waiting"),
        }
    }

    /// The attempt under way comes to nothing, and the node answers this to a plain request.
    pub(crate) fn fails_and_hears(&mut self, answer: Input) {
        assert_eq!(self.on(Input::Closed(CloseReason::Other(1006)), 0.5), [ConnectionCommand::CheckSignIn]);
        self.on(answer, 0.5);
    }

    /// Loses the connection after it was welcomed and held for `millis`.
    pub(crate) fn loses_it_after(&mut self, millis: Millis) {
        self.on(Input::Welcome { heartbeat_secs: 25 }, 0.5);
        self.now += millis;
        self.on(Input::Closed(CloseReason::Other(1006)), 1.0);
    }
}
