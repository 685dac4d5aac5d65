//! `Sessions`: all that are open on this node, sockets and waiters, found by person, by sign-in and by address.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use shared::{CloseReason, DisplayName, UserId};
use tokio::sync::watch;

use crate::access::{SignInId, Visitor};
use crate::mailbox::{Ending, Mailbox};

/// The number of a session on its node. Later sessions have larger ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

impl SessionId {
    const FIRST: SessionId = SessionId(0);
    const LAST: SessionId = SessionId(u64::MAX);
}

/// The open sessions of a node.
#[derive(Default)]
pub struct Sessions {
    next: AtomicU64,
    open: Mutex<OpenSessions>,
    count: watch::Sender<usize>,
}

/// The sessions, with an index by person and one by sign-in: a rename of one person must not cost a walk over all.
#[derive(Default)]
struct OpenSessions {
    by_id: BTreeMap<SessionId, OpenSession>,
    by_user: BTreeSet<(UserId, SessionId)>,
    by_sign_in: BTreeSet<(SignInId, SessionId)>,
}

impl OpenSessions {
    /// The sessions that are not being closed, the oldest first.
    fn staying(&self) -> impl Iterator<Item = &OpenSession> {
        self.by_id.values().filter(|open| open.mailbox.ending().is_none())
    }
}

struct OpenSession {
    visitor: Visitor,
    mailbox: Arc<Mailbox>,
}

impl Sessions {
    /// Adds a session, whose number is returned.
    pub fn add(&self, visitor: Visitor, mailbox: Arc<Mailbox>) -> SessionId {
        let id = SessionId(self.next.fetch_add(1, Ordering::Relaxed) + 1);
        let mut open = self.open.lock();
        open.by_user.insert((visitor.identity.id.clone(), id));
        open.by_sign_in.insert((visitor.sign_in, id));
        open.by_id.insert(id, OpenSession { visitor, mailbox });
        self.count.send_replace(open.by_id.len());
        id
    }

    /// Removes a session that ended.
    pub fn remove(&self, id: SessionId) {
        let mut open = self.open.lock();
        if let Some(OpenSession { visitor, .. }) = open.by_id.remove(&id) {
            open.by_user.remove(&(visitor.identity.id, id));
            open.by_sign_in.remove(&(visitor.sign_in, id));
        }
        self.count.send_replace(open.by_id.len());
    }

    /// The number of open sessions.
    pub fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Returns once no session is open.
    pub async fn all_ended(&self) {
        let mut count = self.count.subscribe();
        // It fails only once the sender is gone, which `self` owns.
        count.wait_for(|open| *open == 0).await.ok();
    }

    /// Returns the visitor of a session, under their present name.
    pub fn visitor(&self, id: SessionId) -> Option<Visitor> {
        self.open.lock().by_id.get(&id).map(|open| open.visitor.clone())
    }

    /// Changes a person's name in all their sessions.
    pub fn rename(&self, user: &UserId, name: &DisplayName) {
        let open = &mut *self.open.lock();
        let all = (user.clone(), SessionId::FIRST)..=(user.clone(), SessionId::LAST);
        for (_, id) in open.by_user.range(all) {
            if let Some(session) = open.by_id.get_mut(id) {
                session.visitor.identity.name = name.clone();
            }
        }
    }

    /// Returns the mailbox of a session.
    pub fn mailbox(&self, id: SessionId) -> Option<Arc<Mailbox>> {
        self.open.lock().by_id.get(&id).map(|open| open.mailbox.clone())
    }

    /// Closes every session of a sign-in that has ended.
    pub fn end(&self, sign_in: SignInId) {
        let open = self.open.lock();
        let all = (sign_in, SessionId::FIRST)..=(sign_in, SessionId::LAST);
        for (_, id) in open.by_sign_in.range(all) {
            if let Some(session) = open.by_id.get(id) {
                session.mailbox.end(Ending::Close(CloseReason::IdentityEnded));
            }
        }
    }

    /// Sends every session away. Each is told another time to come back, spread evenly over `spread_ms`, so that a
    /// restart is not followed by a stampede.
    pub fn drain(&self, spread_ms: u64) {
        let open = self.open.lock();
        let count = open.by_id.len().max(1) as u64;
        for (place, open) in (1_u64..).zip(open.by_id.values()) {
            open.mailbox.end(Ending::Drain { reconnect_after_ms: spread_ms * place / count });
        }
    }

    /// Closes the newest sessions of an address because memory is short, and keeps the oldest `keep` of them. Returns
    /// how many it closed.
    pub fn shed(&self, from: IpAddr, keep: usize) -> usize {
        let open = self.open.lock();
        close(open.staying().filter(|open| open.visitor.from == from).skip(keep))
    }

    /// Closes the newest tenth of all sessions because memory is short. Returns how many it closed.
    pub fn shed_newest(&self) -> usize {
        let open = self.open.lock();
        let count = open.staying().count();
        close(open.staying().skip(count - count.div_ceil(10)))
    }

    /// Counts the sessions of each address that are not being closed.
    pub fn by_address(&self) -> HashMap<IpAddr, usize> {
        let mut counts = HashMap::new();
        for session in self.open.lock().staying() {
            *counts.entry(session.visitor.from).or_default() += 1;
        }
        counts
    }
}

fn close<'a>(sessions: impl Iterator<Item = &'a OpenSession>) -> usize {
    sessions.map(|session| session.mailbox.end(Ending::Close(CloseReason::TryAgainLater))).count()
}

#[cfg(test)]
mod tests {
    use shared::Identity;

    use super::*;

    fn open(sessions: &Sessions, from: [u8; 4]) -> Arc<Mailbox> {
        let identity = Identity { id: UserId("u".into()), name: DisplayName::parse("Ada").unwrap() };
        let mailbox = Arc::new(Mailbox::new(4, 100));
        sessions.add(Visitor { identity, sign_in: SignInId([0; 32]), from: from.into() }, mailbox.clone());
        mailbox
    }

    fn are_ending(mailboxes: &[Arc<Mailbox>]) -> Vec<bool> {
        mailboxes.iter().map(|mailbox| mailbox.ending().is_some()).collect()
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
        assert_eq!(sessions.by_address()[&crowd.into()], 10, "a session that is being closed does not count");
        assert_eq!(sessions.shed_newest(), 3, "a tenth of 25, rounded up");
        assert_eq!(are_ending(&others), [vec![false; 12], vec![true; 3]].concat());
    }
}
