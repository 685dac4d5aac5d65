//! `History`: the acknowledgements that nodes gave, the events that readers applied, and the events that each restored
//! backup kept.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Mutex;

use shared::{Ack, Epoch, Event, Key, Seq, Topic, UserId};

/// Everything that the run has promised or shown so far.
#[derive(Default)]
pub struct History(Mutex<HistoryState>);

#[derive(Default)]
struct HistoryState {
    acks: Vec<AckRecord>,
    applied: BTreeMap<(String, Topic, Seq), (UserId, Key)>,
    kept: BTreeMap<(String, Topic), Seq>,
}

/// An acknowledgement, with the publish that it answers.
#[derive(Debug, Clone)]
pub struct AckRecord {
    /// The author of the publish.
    pub author: UserId,
    /// The idempotency key of the publish.
    pub key: Key,
    /// The node's answer.
    pub ack: Ack,
}

impl History {
    /// Records an acknowledgement. Returns an earlier one for the same publish if the two contradict each other.
    pub fn record_ack(&self, author: &UserId, key: &Key, ack: &Ack) -> Option<Ack> {
        let mut state = self.0.lock().unwrap();
        let is_same_publish =
            |known: &&AckRecord| known.author == *author && known.key == *key && known.ack.topic == ack.topic;
        let earlier = state.acks.iter().filter(is_same_publish).find(|known| known.ack.epoch == ack.epoch);
        let contradicted = earlier.map(|known| known.ack.clone()).filter(|known| known != ack);
        state.acks.push(AckRecord { author: author.clone(), key: key.clone(), ack: ack.clone() });
        contradicted
    }

    /// Records that a reader applied an event. Returns the key of a different event that another reader applied at the
    /// same place.
    pub fn record_applied(&self, epoch: &Epoch, event: &Event) -> Option<Key> {
        let place = (epoch.to_string(), event.topic.clone(), event.seq);
        let publish = (event.author.id.clone(), event.key.clone());
        match self.0.lock().unwrap().applied.entry(place) {
            Entry::Vacant(entry) => {
                entry.insert(publish);
                None
            }
            Entry::Occupied(entry) => (*entry.get() != publish).then(|| entry.get().1.clone()),
        }
    }

    /// Records that an epoch of the log ended, and that its restored backup kept the events of a topic up to `kept`.
    pub fn record_restore(&self, epoch: &Epoch, topic: &Topic, kept: Seq) {
        self.0.lock().unwrap().kept.insert((epoch.to_string(), topic.clone()), kept);
    }

    /// Returns the acknowledgements that still bind: those of events that no restored backup has lost.
    pub fn binding_acks(&self) -> Vec<AckRecord> {
        let state = self.0.lock().unwrap();
        let is_binding = |known: &&AckRecord| {
            let epoch = (known.ack.epoch.to_string(), known.ack.topic.clone());
            state.kept.get(&epoch).is_none_or(|kept| known.ack.seq <= *kept)
        };
        state.acks.iter().filter(is_binding).cloned().collect()
    }
}
