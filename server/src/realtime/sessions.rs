//! The sessions that are open on this node, sockets and those who wait by pulling: to end those of a sign-in, and
//! to drain them all.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use shared::{CloseReason, DisplayName, UserId};
use tokio::sync::watch;

use crate::realtime::access::{SignIn, Visitor};
use crate::realtime::outbox::{Ending, Outbox};

/// Names a session on its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// See the module.
#[derive(Default)]
pub struct Sessions {
    next: AtomicU64,
    open: Mutex<BTreeMap<SessionId, Open>>,
    count: watch::Sender<usize>,
}

struct Open {
    visitor: Visitor,
    outbox: Arc<Outbox>,
}

impl Sessions {
    /// Notes a new session.
    pub fn add(&self, visitor: Visitor, outbox: Arc<Outbox>) -> SessionId {
        let id = SessionId(self.next.fetch_add(1, Ordering::Relaxed) + 1);
        let mut open = self.lock();
        open.insert(id, Open { visitor, outbox });
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

    /// Who a session belongs to, as they are called by now.
    pub fn visitor(&self, id: SessionId) -> Option<Visitor> {
        self.lock().get(&id).map(|open| open.visitor.clone())
    }

    /// Gives somebody their new name in all their sessions.
    pub fn rename(&self, user: &UserId, name: &DisplayName) {
        for open in self.lock().values_mut().filter(|open| open.visitor.identity.id == *user) {
            open.visitor.identity.name = name.clone();
        }
    }

    /// The way to a session.
    pub fn outbox(&self, id: SessionId) -> Option<Arc<Outbox>> {
        self.lock().get(&id).map(|open| open.outbox.clone())
    }

    /// Closes every session of a sign-in that has ended.
    pub fn end(&self, sign_in: SignIn) {
        let open = self.lock();
        let theirs = open.values().filter(|open| open.visitor.sign_in == sign_in);
        theirs.for_each(|open| open.outbox.end(Ending::Close(CloseReason::IdentityEnded)));
    }

    /// Sends everybody away. Each is told another time to come back, spread evenly over `spread_ms`, so that a
    /// restart is not followed by a stampede.
    pub fn drain(&self, spread_ms: u64) {
        let open = self.lock();
        let count = open.len().max(1) as u64;
        for (place, open) in (1_u64..).zip(open.values()) {
            open.outbox.end(Ending::Drain { reconnect_after_ms: spread_ms * place / count });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionId, Open>> {
        self.open.lock().expect("no code panics while it holds this lock")
    }
}
