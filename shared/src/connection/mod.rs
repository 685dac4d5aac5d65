//! `Connection`: when a client connects, waits, gives up. The rules of reconnecting as a state machine.
//!
//! It opens no socket and reads no clock: the driver tells it what happened and when, and does what it says. The
//! browser and the native test client are two drivers of this one machine.

mod machine;
mod polling;

pub use machine::Connection;

use crate::{CloseReason, Millis};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Somebody signed in: be connected from now on.
    Start,
    /// Signed out here: close, and stay away.
    Stop,
    /// The socket's first frame.
    Welcome {
        /// How often the node pings.
        heartbeat_secs: u32,
    },
    /// Any frame: a sign of life.
    Heard,
    /// The node goes away, and says when to come back.
    Drain {
        /// After how long.
        reconnect_after_ms: u64,
    },
    /// The socket is closed, or never opened.
    Closed(CloseReason),
    /// The answer to [`Command::AskMe`]: still signed in.
    SignedIn,
    /// The answer to [`Command::AskMe`]: nobody is signed in.
    SignedOut,
    /// The answer to [`Command::AskMe`]: not now, but after so many milliseconds.
    RetryAfter(u64),
    /// The answer to [`Command::AskMe`]: the node serves plain requests and has no socket to spare. One may be free
    /// after so many milliseconds.
    NoSocket(u64),
    /// No answer to [`Command::AskMe`].
    NoAnswer,
    /// A long poll got no answer: see [`Status::Polling`].
    PollFailed,
    /// The network went or returned, as far as the browser knows.
    Online(bool),
    /// The page was hidden or shown.
    Visible(bool),
    /// The person asked for it.
    ReconnectNow,
    /// The time of [`Connection::wake_at`] has come; harmless at any other.
    Tick,
}

/// What the driver does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Open a socket; there is none.
    Open,
    /// Close the socket and forget it: nothing more is heard of it.
    Close,
    /// Ask who is signed in, and tell the answer.
    AskMe,
    /// Send a ping.
    Ping,
}

/// What a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not wanted.
    Stopped,
    /// On the way.
    Connecting,
    /// Welcome.
    Connected,
    /// The node answers and no socket comes through to it, or it has none to spare: read by plain requests. A socket
    /// is tried again now and then, and the status stays the same meanwhile.
    Polling,
    /// Lost; the next attempt is at this time.
    Waiting {
        /// In the driver's clock.
        until: Millis,
    },
    /// Lost, and the browser says that there is no network. It may be wrong, so a socket is tried every 30 s and when
    /// the page is shown, and the status stays the same meanwhile.
    Offline,
    /// The sign-in ended: only a person can go on.
    SignedOut,
    /// The node does not want this client back: only a person can go on.
    Refused,
}
