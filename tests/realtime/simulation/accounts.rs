//! `SimulatedAccounts`: the sign-ins and permissions of a run. Both change during a run, and earlier permissions are
//! remembered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use realtime::{AccessRule, SignInId};
use shared::{Identity, Millis, Topic, UserId};

use super::rng::SimulationRng;
use super::trace::now;

/// The access rule takes up to this long before it looks at a permission, and again before it answers.
const RULE_MS_MAX: u64 = 4;
/// A decision from before a permission ended may take effect for this long: a node asks the rule for its listeners one
/// after the other.
pub const GRACE_MS: Millis = 25 * RULE_MS_MAX as Millis;

/// All accounts of a run. Clones share their state.
#[derive(Clone)]
pub struct SimulatedAccounts {
    rng: SimulationRng,
    state: Arc<Mutex<AccountsState>>,
}

/// The time at which a permission ended, and the time at which it returned, if it has.
type DeniedSpan = (Millis, Option<Millis>);

#[derive(Default)]
struct AccountsState {
    sign_ins: u8,
    signed_in: BTreeMap<UserId, u8>,
    denied: BTreeMap<(UserId, Topic), Vec<DeniedSpan>>,
}

impl SimulatedAccounts {
    /// Creates accounts of which none is signed in and all may read everything.
    pub fn new(rng: SimulationRng) -> SimulatedAccounts {
        SimulatedAccounts { rng, state: Arc::default() }
    }

    /// Signs a user in. An earlier sign-in of the same user becomes void.
    pub fn sign_in(&self, user: &UserId) -> SignInId {
        let mut state = self.state.lock().unwrap();
        state.sign_ins += 1;
        let number = state.sign_ins;
        state.signed_in.insert(user.clone(), number);
        SignInId([number; 32])
    }

    /// Ends the sign-in of a user.
    pub fn sign_out(&self, user: &UserId) {
        self.state.lock().unwrap().signed_in.remove(user);
    }

    /// Returns true if the sign-in is still valid.
    pub fn is_signed_in(&self, user: &UserId, sign_in: SignInId) -> bool {
        self.state.lock().unwrap().signed_in.get(user) == Some(&sign_in.0[0])
    }

    /// Takes a permission away, or gives it back.
    pub fn toggle_permission(&self, user: &UserId, topic: &Topic) {
        let mut state = self.state.lock().unwrap();
        let spans = state.denied.entry((user.clone(), topic.clone())).or_default();
        match spans.last_mut() {
            Some((_, until @ None)) => *until = Some(now()),
            _ => spans.push((now(), None)),
        }
    }

    /// Returns true if the user may read the topic now.
    pub fn can_read(&self, user: &UserId, topic: &Topic) -> bool {
        let state = self.state.lock().unwrap();
        let spans = state.denied.get(&(user.clone(), topic.clone()));
        spans.and_then(|spans| spans.last()).is_none_or(|(_, until)| until.is_some())
    }

    /// Returns true if any user lacks a permission now.
    pub fn anyone_is_denied(&self) -> bool {
        let state = self.state.lock().unwrap();
        state.denied.values().flatten().any(|(_, until)| until.is_none())
    }

    /// Returns true if the user was not allowed to read the topic at any moment from `from` to `to`. [`GRACE_MS`]
    /// covers decisions that were under way when the permission ended.
    pub fn was_denied(&self, user: &UserId, topic: &Topic, from: Millis, to: Millis) -> bool {
        let state = self.state.lock().unwrap();
        let spans = state.denied.get(&(user.clone(), topic.clone())).map_or(&[][..], Vec::as_slice);
        spans.iter().any(|(began, until)| began + GRACE_MS < from && until.is_none_or(|until| to < until))
    }
}

/// The rule takes its time, so its answer may be outdated when it arrives.
#[async_trait]
impl AccessRule for SimulatedAccounts {
    async fn may_read(&self, who: &Identity, topic: &Topic) -> bool {
        self.rng.sleep(0..=RULE_MS_MAX).await;
        let allowed = self.can_read(&who.id, topic);
        self.rng.sleep(0..=RULE_MS_MAX).await;
        allowed
    }
}
