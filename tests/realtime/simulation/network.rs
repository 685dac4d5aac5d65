//! `Network`: what lies between one reader and everybody else.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// See the module.
pub struct Network {
    /// Whether anything comes through.
    pub online: AtomicBool,
    /// Whether a proxy forbids WebSocket.
    pub forbids_sockets: AtomicBool,
    takes: AtomicBool,
    takes_again: Notify,
    cable: Mutex<CancellationToken>,
}

impl Network {
    /// A good one.
    pub fn new() -> Network {
        Network {
            online: AtomicBool::new(true),
            forbids_sockets: AtomicBool::new(false),
            takes: AtomicBool::new(true),
            takes_again: Notify::new(),
            cable: Mutex::default(),
        }
    }

    /// Whether requests come through.
    pub fn is_online(&self) -> bool {
        self.online.load(Ordering::Relaxed)
    }

    /// Whether a handshake comes through.
    pub fn lets_sockets_through(&self) -> bool {
        self.is_online() && !self.forbids_sockets.load(Ordering::Relaxed)
    }

    /// The network goes or returns; open sockets do not survive it.
    pub fn set_online(&self, online: bool) {
        self.online.store(online, Ordering::Relaxed);
        if !online {
            self.cut();
        }
    }

    /// The reader stops taking from its socket, or goes on.
    pub fn set_takes(&self, takes: bool) {
        self.takes.store(takes, Ordering::Relaxed);
        if takes {
            self.takes_again.notify_waiters();
        }
    }

    /// Returns once the reader takes what has come.
    pub async fn takes(&self) {
        while !self.takes.load(Ordering::Relaxed) {
            self.takes_again.notified().await;
        }
    }

    /// A new socket's cable: cancelled when it is cut.
    pub fn plug_in(&self) -> CancellationToken {
        let cable = CancellationToken::new();
        *self.cable.lock().unwrap() = cable.clone();
        cable
    }

    /// Cuts the socket, if there is one.
    pub fn cut(&self) {
        self.cable.lock().unwrap().cancel();
    }
}
