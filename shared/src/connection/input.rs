//! The inputs of the machine, its commands, and the status that a person is told.

use crate::event::Millis;
use crate::problem::CloseReason;

/// An event in the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Somebody signed in: connect, and stay connected.
    Start,
    /// The person signed out here: close, and stay closed.
    Stop,
    /// The socket's first frame arrived.
    Welcome {
        /// Seconds between two pings of the node.
        heartbeat_secs: u32,
    },
    /// Any frame arrived, which shows that the connection is alive.
    Heard,
    /// The node is stopping, and says when to come back.
    Drain {
        /// The time after which to reconnect.
        reconnect_after_ms: u64,
    },
    /// The socket closed, or was never opened.
    Closed(CloseReason),
    /// The answer to [`ConnectionCommand::CheckSignIn`]: still signed in.
    SignedIn,
    /// The answer to [`ConnectionCommand::CheckSignIn`]: nobody is signed in.
    SignedOut,
    /// The answer to [`ConnectionCommand::CheckSignIn`]: not now, but after this many milliseconds.
    RetryAfter(u64),
    /// The answer to [`ConnectionCommand::CheckSignIn`]: the node serves plain requests, but has no socket to spare. One may
    /// be free after this many milliseconds.
    NoSocket(u64),
    /// There was no answer to [`ConnectionCommand::CheckSignIn`].
    NoAnswer,
    /// A long poll got no answer; see [`Status::Polling`].
    PollFailed,
    /// The browser reports that the network is there, or is not.
    Online(bool),
    /// The tab was shown, or hidden.
    Visible(bool),
    /// The person asked to reconnect.
    ReconnectNow,
    /// The time of [`Connection::wake_at`](crate::Connection::wake_at) has come; harmless at any other.
    Tick,
}

/// An action for the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionCommand {
    /// Open a socket. There is none.
    Open,
    /// Close the socket, and report nothing more of it.
    Close,
    /// Check by a plain request if the person is still signed in, and report the answer.
    CheckSignIn,
    /// Send a ping.
    Ping,
}

/// The status of the connection, for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// No connection is wanted.
    Stopped,
    /// A connection is being opened.
    Connecting,
    /// The connection is open.
    Connected,
    /// The node answers, but no socket reaches it, or it has none to spare: topics are read by plain requests. A socket is
    /// tried again now and then, while the status stays the same.
    Polling,
    /// The connection was lost, and the next attempt is at this time.
    Waiting {
        /// The time, by the driver's clock.
        until: Millis,
    },
    /// The connection was lost, and the browser reports no network. It may be wrong, so a socket is tried every 30 s and
    /// when the tab is shown, while the status stays the same.
    Offline,
    /// The sign-in ended. Only the person can go on.
    SignedOut,
    /// The node refused this client for good. Only the person can go on.
    Refused,
}
