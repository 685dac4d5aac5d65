//! The sessions that are open on this node: to end those of a sign-in, and to drain them all.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use shared::{CloseReason, ServerFrame};
use tokio::sync::watch;

use crate::realtime::outbox::{Outbox, encode};

/// Names a session on its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Names the sign-in under which a session was opened; opaque to the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignIn(pub [u8; 32]);

/// See the module.
#[derive(Default)]
pub struct Sessions {
    next: AtomicU64,
    open: Mutex<BTreeMap<SessionId, (SignIn, Arc<Outbox>)>>,
    count: watch::Sender<usize>,
}

impl Sessions {
    /// Notes a new session.
    pub fn add(&self, sign_in: SignIn, outbox: Arc<Outbox>) -> SessionId {
        let id = SessionId(self.next.fetch_add(1, Ordering::Relaxed) + 1);
        let mut open = self.lock();
        open.insert(id, (sign_in, outbox));
        self.count.send_replace(open.len());
        id
    }

    /// Forgets a session that ended.
    pub fn remove(&self, id: SessionId) {
        let mut open = self.lock();
        open.remove(&id);
        self.count.send_replace(open.len());
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Returns once none is open.
    pub async fn all_ended(&self) {
        let mut count = self.count.subscribe();
        // It fails only once the sender is gone, which `self` owns.
        count.wait_for(|open| *open == 0).await.ok();
    }

    /// Closes every session of a sign-in that has ended.
    pub fn end(&self, sign_in: SignIn) {
        let open = self.lock();
        let theirs = open.values().filter(|(of, _)| *of == sign_in);
        theirs.for_each(|(_, outbox)| outbox.close(CloseReason::IdentityEnded));
    }

    /// Sends everybody away. Each is told another time to come back, spread evenly over `spread_ms`, so that a
    /// restart is not followed by a stampede.
    pub fn drain(&self, spread_ms: u64) {
        let open = self.lock();
        let count = open.len().max(1) as u64;
        for (place, (_, outbox)) in (0_u64..).zip(open.values()) {
            outbox
                .answer(encode(&ServerFrame::Drain { reconnect_after_ms: spread_ms * (place + 1) / count }));
            outbox.close(CloseReason::ServiceRestart);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionId, (SignIn, Arc<Outbox>)>> {
        self.open.lock().expect("no code panics while it holds this lock")
    }
}
