//! `Network`: the network between one reader and the nodes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The state of one reader's network.
pub struct Network {
    /// True while requests and sockets get through.
    pub online: AtomicBool,
    /// True behind a proxy that forbids WebSocket.
    pub forbids_sockets: AtomicBool,
    reading: AtomicBool,
    reading_again: Notify,
    connection: Mutex<CancellationToken>,
}

impl Network {
    /// Creates a network that works.
    pub fn new() -> Network {
        Network {
            online: AtomicBool::new(true),
            forbids_sockets: AtomicBool::new(false),
            reading: AtomicBool::new(true),
            reading_again: Notify::new(),
            connection: Mutex::default(),
        }
    }

    /// Returns true if requests get through.
    pub fn is_online(&self) -> bool {
        self.online.load(Ordering::Relaxed)
    }

    /// Returns true if a WebSocket handshake gets through.
    pub fn lets_sockets_through(&self) -> bool {
        self.is_online() && !self.forbids_sockets.load(Ordering::Relaxed)
    }

    /// Takes the network away, or brings it back. An open socket does not survive the loss.
    pub fn set_online(&self, online: bool) {
        self.online.store(online, Ordering::Relaxed);
        if !online {
            self.cut();
        }
    }

    /// Makes the reader stop reading from its socket, or resume.
    pub fn set_reading(&self, reading: bool) {
        self.reading.store(reading, Ordering::Relaxed);
        if reading {
            self.reading_again.notify_waiters();
        }
    }

    /// Returns once the reader reads from its socket.
    pub async fn wait_until_reading(&self) {
        while !self.reading.load(Ordering::Relaxed) {
            self.reading_again.notified().await;
        }
    }

    /// Starts a connection. Its token is cancelled when the connection is cut.
    pub fn new_connection(&self) -> CancellationToken {
        let connection = CancellationToken::new();
        *self.connection.lock().unwrap() = connection.clone();
        connection
    }

    /// Cuts the socket, if there is one.
    pub fn cut(&self) {
        self.connection.lock().unwrap().cancel();
    }
}
