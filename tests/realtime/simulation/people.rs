//! Who is signed in, and who may read what: both change during a run, and what was true when is remembered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use realtime::{AccessRule, SignInId};
use shared::{Identity, Millis, Topic, UserId};

use super::chance::Chance;
use super::trace::now;

/// How long the rule thinks before it looks, and again before it answers.
const RULE_MS_MAX: u64 = 4;
/// So long after a permission ended, what was decided before may still be on its way: a node asks for its listeners
/// one after the other.
pub const GRACE_MS: Millis = 25 * RULE_MS_MAX as Millis;

/// See the module. Clones are the same people.
#[derive(Clone)]
pub struct People {
    chance: Chance,
    known: Arc<Mutex<Known>>,
}

/// When a permission was away: from, and until when.
type Away = (Millis, Option<Millis>);

#[derive(Default)]
struct Known {
    sign_ins: u8,
    signed_in: BTreeMap<UserId, u8>,
    denied: BTreeMap<(UserId, Topic), Vec<Away>>,
}

impl People {
    /// Nobody is signed in, and everybody may read everything.
    pub fn new(chance: Chance) -> People {
        People { chance, known: Arc::default() }
    }

    /// Signs somebody in; an earlier sign-in of theirs is void.
    pub fn sign_in(&self, who: &UserId) -> SignInId {
        let mut known = self.known.lock().unwrap();
        known.sign_ins += 1;
        let number = known.sign_ins;
        known.signed_in.insert(who.clone(), number);
        SignInId([number; 32])
    }

    /// Ends somebody's sign-in.
    pub fn sign_out(&self, who: &UserId) {
        self.known.lock().unwrap().signed_in.remove(who);
    }

    /// Whether the sign-in holds.
    pub fn knows(&self, who: &UserId, sign_in: SignInId) -> bool {
        self.known.lock().unwrap().signed_in.get(who) == Some(&sign_in.0[0])
    }

    /// Takes a permission away, or gives it back.
    pub fn flip(&self, who: &UserId, topic: &Topic) {
        let mut known = self.known.lock().unwrap();
        let spans = known.denied.entry((who.clone(), topic.clone())).or_default();
        match spans.last_mut() {
            Some((_, until @ None)) => *until = Some(now()),
            _ => spans.push((now(), None)),
        }
    }

    /// Whether they may, now.
    pub fn may(&self, who: &UserId, topic: &Topic) -> bool {
        let known = self.known.lock().unwrap();
        let spans = known.denied.get(&(who.clone(), topic.clone()));
        spans.and_then(|spans| spans.last()).is_none_or(|(_, until)| until.is_some())
    }

    /// Whether somebody may not read something, now.
    pub fn somebody_is_denied(&self) -> bool {
        let known = self.known.lock().unwrap();
        known.denied.values().flatten().any(|(_, until)| until.is_none())
    }

    /// Whether they might not at any moment between these two, with some grace for what was under way.
    pub fn was_denied(&self, who: &UserId, topic: &Topic, from: Millis, to: Millis) -> bool {
        let known = self.known.lock().unwrap();
        let spans = known.denied.get(&(who.clone(), topic.clone())).map_or(&[][..], Vec::as_slice);
        spans.iter().any(|(began, until)| began + GRACE_MS < from && until.is_none_or(|until| to < until))
    }
}

/// A rule that takes its time, so that its answer may be old when it comes.
#[async_trait]
impl AccessRule for People {
    async fn may_read(&self, who: &Identity, topic: &Topic) -> bool {
        self.chance.pause(0..=RULE_MS_MAX).await;
        let may = self.may(&who.id, topic);
        self.chance.pause(0..=RULE_MS_MAX).await;
        may
    }
}
