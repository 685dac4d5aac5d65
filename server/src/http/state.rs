//! `AppState`: what every handler can reach.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shared::Millis;

use crate::http::{Origins, Pages, Rates};
use crate::limits::Limits;
use crate::people::People;
use crate::realtime::Node;

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

/// What the state is made of.
pub struct Parts {
    /// The realtime core.
    pub node: Arc<Node>,
    /// Who is signed in.
    pub people: Arc<dyn People>,
    /// Which hosts and origins are welcome.
    pub origins: Origins,
    /// The client that is served.
    pub pages: Pages,
    /// The rates of people and addresses.
    pub rates: Rates,
    /// The limits.
    pub limits: Limits,
    /// The time now.
    pub clock: fn() -> Millis,
    /// Whether the node is going away.
    pub draining: AtomicBool,
}

impl AppState {
    /// Shares the parts.
    pub fn new(parts: Parts) -> AppState {
        AppState(Arc::new(parts))
    }

    /// From now on no new socket is opened.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the node is going away.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
