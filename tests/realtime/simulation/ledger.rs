//! `Ledger`: what was acknowledged, what was seen where, and what a restored backup took with it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Mutex;

use shared::{Ack, Epoch, Event, Key, Seq, Topic, UserId};

/// See the module.
#[derive(Default)]
pub struct Ledger(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    acks: Vec<Acknowledged>,
    seen: BTreeMap<(String, Topic, Seq), (UserId, Key)>,
    kept: BTreeMap<(String, Topic), Seq>,
}

/// A promise that a node gave.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    /// To whom.
    pub author: UserId,
    /// For what.
    pub key: Key,
    /// Where it is.
    pub ack: Ack,
}

impl Ledger {
    /// A node acknowledged a publish. An answer that contradicts an earlier one comes back.
    pub fn acknowledge(&self, author: &UserId, key: &Key, ack: &Ack) -> Option<Ack> {
        let mut pages = self.0.lock().unwrap();
        let of_it = |known: &&Acknowledged| {
            known.author == *author && known.key == *key && known.ack.topic == ack.topic
        };
        let earlier = pages.acks.iter().filter(of_it).find(|known| known.ack.epoch == ack.epoch);
        let contradicted = earlier.map(|known| known.ack.clone()).filter(|known| known != ack);
        pages.acks.push(Acknowledged { author: author.clone(), key: key.clone(), ack: ack.clone() });
        contradicted
    }

    /// Somebody applied an event. What somebody else applied at that place instead comes back.
    pub fn see(&self, epoch: &Epoch, event: &Event) -> Option<Key> {
        let place = (epoch.to_string(), event.topic.clone(), event.seq);
        let name = (event.author.id.clone(), event.key.clone());
        match self.0.lock().unwrap().seen.entry(place) {
            Entry::Vacant(entry) => {
                entry.insert(name);
                None
            }
            Entry::Occupied(entry) => (*entry.get() != name).then(|| entry.get().1.clone()),
        }
    }

    /// A life of the log ends, and only the events up to there live on in the next one.
    pub fn keep(&self, epoch: &Epoch, topic: &Topic, kept: Seq) {
        self.0.lock().unwrap().kept.insert((epoch.to_string(), topic.clone()), kept);
    }

    /// The promises that the log as it is now must keep.
    pub fn owed(&self) -> Vec<Acknowledged> {
        let pages = self.0.lock().unwrap();
        let stands = |known: &&Acknowledged| {
            let life = (known.ack.epoch.to_string(), known.ack.topic.clone());
            pages.kept.get(&life).is_none_or(|kept| known.ack.seq <= *kept)
        };
        pages.acks.iter().filter(stands).cloned().collect()
    }
}
