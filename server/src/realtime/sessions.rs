//! The sessions that are open on this node, sockets and those who wait by pulling: to end those of a sign-in, and
//! to drain them all.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use shared::{CloseReason, DisplayName, UserId};
use tokio::sync::watch;

use crate::realtime::access::{SignIn, Visitor};
use crate::realtime::outbox::{Ending, Outbox};

/// Names a session on its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

impl SessionId {
    const FIRST: SessionId = SessionId(0);
    const LAST: SessionId = SessionId(u64::MAX);
}

/// See the module.
#[derive(Default)]
pub struct Sessions {
    next: AtomicU64,
    open: Mutex<All>,
    count: watch::Sender<usize>,
}

/// All of them, and the way to those of one person or of one sign-in: what concerns one must not cost by the others.
#[derive(Default)]
struct All {
    by_id: BTreeMap<SessionId, Open>,
    of_person: BTreeSet<(UserId, SessionId)>,
    of_sign_in: BTreeSet<(SignIn, SessionId)>,
}

impl All {
    /// Those that are not on their way out, the oldest first.
    fn staying(&self) -> impl Iterator<Item = &Open> {
        self.by_id.values().filter(|open| open.outbox.ending().is_none())
    }
}

fn close<'a>(sessions: impl Iterator<Item = &'a Open>) -> usize {
    sessions.map(|open| open.outbox.end(Ending::Close(CloseReason::TryAgainLater))).count()
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
        open.of_person.insert((visitor.identity.id.clone(), id));
        open.of_sign_in.insert((visitor.sign_in, id));
        open.by_id.insert(id, Open { visitor, outbox });
        self.count.send_replace(open.by_id.len());
        id
    }

    /// Forgets a session that ended.
    pub fn remove(&self, id: SessionId) {
        let mut open = self.lock();
        if let Some(Open { visitor, .. }) = open.by_id.remove(&id) {
            open.of_person.remove(&(visitor.identity.id, id));
            open.of_sign_in.remove(&(visitor.sign_in, id));
        }
        self.count.send_replace(open.by_id.len());
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
        self.lock().by_id.get(&id).map(|open| open.visitor.clone())
    }

    /// Gives somebody their new name in all their sessions.
    pub fn rename(&self, user: &UserId, name: &DisplayName) {
        let open = &mut *self.lock();
        let all = (user.clone(), SessionId::FIRST)..=(user.clone(), SessionId::LAST);
        for (_, id) in open.of_person.range(all) {
            open.by_id.get_mut(id).into_iter().for_each(|open| open.visitor.identity.name = name.clone());
        }
    }

    /// The way to a session.
    pub fn outbox(&self, id: SessionId) -> Option<Arc<Outbox>> {
        self.lock().by_id.get(&id).map(|open| open.outbox.clone())
    }

    /// Closes every session of a sign-in that has ended.
    pub fn end(&self, sign_in: SignIn) {
        let open = self.lock();
        let all = (sign_in, SessionId::FIRST)..=(sign_in, SessionId::LAST);
        let theirs = open.of_sign_in.range(all).filter_map(|(_, id)| open.by_id.get(id));
        theirs.for_each(|open| open.outbox.end(Ending::Close(CloseReason::IdentityEnded)));
    }

    /// Sends everybody away. Each is told another time to come back, spread evenly over `spread_ms`, so that a
    /// restart is not followed by a stampede.
    pub fn drain(&self, spread_ms: u64) {
        let open = self.lock();
        let count = open.by_id.len().max(1) as u64;
        for (place, open) in (1_u64..).zip(open.by_id.values()) {
            open.outbox.end(Ending::Drain { reconnect_after_ms: spread_ms * place / count });
        }
    }

    /// Closes the newest sessions of an address, as memory is short, and keeps the oldest `keep` of them. Returns how many
    /// it closed.
    pub fn shed(&self, from: IpAddr, keep: usize) -> usize {
        let open = self.lock();
        close(open.staying().filter(|open| open.visitor.from == from).skip(keep))
    }

    /// Closes the newest tenth of all. Returns how many these are.
    pub fn shed_newest(&self) -> usize {
        let open = self.lock();
        let count = open.staying().count();
        close(open.staying().skip(count - count.div_ceil(10)))
    }

    /// The sessions of each address.
    pub fn by_address(&self) -> HashMap<IpAddr, usize> {
        let mut each = HashMap::new();
        self.lock().staying().for_each(|open| *each.entry(open.visitor.from).or_default() += 1);
        each
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.open.lock().expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use shared::Identity;

    use super::*;

    fn open(sessions: &Sessions, from: [u8; 4]) -> Arc<Outbox> {
        let identity = Identity { id: UserId("u".into()), name: DisplayName::parse("Ada").unwrap() };
        let outbox = Arc::new(Outbox::new(4, 100));
        sessions.add(Visitor { identity, sign_in: SignIn([0; 32]), from: from.into() }, outbox.clone());
        outbox
    }

    fn are_ending(outboxes: &[Arc<Outbox>]) -> Vec<bool> {
        outboxes.iter().map(|outbox| outbox.ending().is_some()).collect()
    }

    #[test]
    fn the_newest_of_an_address_go_or_the_newest_of_all() {
        let sessions = Sessions::default();
        let (crowd, other) = ([192, 0, 2, 1], [192, 0, 2, 2]);
        let theirs: Vec<_> = (0..20).map(|_| open(&sessions, crowd)).collect();
        let others: Vec<_> = (0..15).map(|_| open(&sessions, other)).collect();
        assert_eq!(sessions.by_address(), HashMap::from([(crowd.into(), 20), (other.into(), 15)]));
        assert_eq!((sessions.shed(crowd.into(), 10), sessions.shed(other.into(), 15)), (10, 0));
        assert_eq!(are_ending(&theirs), [[false; 10], [true; 10]].concat());
        assert_eq!(theirs[19].ending(), Some(Ending::Close(CloseReason::TryAgainLater)));
        assert_eq!(sessions.by_address()[&crowd.into()], 10, "who is on their way out does not count");
        assert_eq!(sessions.shed_newest(), 3, "a tenth of 25, rounded up");
        assert_eq!(are_ending(&others), [vec![false; 12], vec![true; 3]].concat());
    }
}
