//! `MemoryLog`: a log in memory. It passes the same contract suite as every other log, and is the shortest example.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use realtime::{AppendError, Appended, Draft, EventLog, Heads, HeadsOf, LogError, Outcome, Range};
use server::storage::NewEpoch;
use shared::{Epoch, Event, EventPage, Seq, Topic};

/// A log without a disk. Clones share their events.
#[derive(Clone)]
pub struct MemoryLog(Arc<Mutex<MemoryTopics>>);

struct MemoryTopics {
    epoch: u32,
    topics: BTreeMap<Topic, Vec<Event>>,
    /// The topics with events, ordered by their latest event.
    order: Vec<Topic>,
}

impl MemoryLog {
    /// Creates an empty log.
    pub fn new() -> MemoryLog {
        MemoryLog(Arc::new(Mutex::new(MemoryTopics { epoch: 1, topics: BTreeMap::new(), order: Vec::new() })))
    }

    /// Reopens the log, with a new epoch if asked to.
    pub fn reopen(&self, new_epoch: NewEpoch) -> MemoryLog {
        if new_epoch == NewEpoch::Begin {
            self.0.lock().unwrap().epoch += 1;
        }
        self.clone()
    }

    /// Replaces the log with a backup that holds this percentage of each topic's events, and begins a new epoch.
    pub fn restore(&self, percent: usize) {
        let mut log = self.0.lock().unwrap();
        log.epoch += 1;
        log.topics.values_mut().for_each(|events| events.truncate(events.len() * percent / 100));
    }

    /// Returns the epoch and all events of a topic.
    pub fn all(&self, topic: &Topic) -> (Epoch, Vec<Event>) {
        let log = self.0.lock().unwrap();
        (log.epoch(), log.topics.get(topic).cloned().unwrap_or_default())
    }
}

impl MemoryTopics {
    fn epoch(&self) -> Epoch {
        Epoch::try_from(format!("epoch{}", self.epoch)).expect("letters and digits")
    }

    fn append(&mut self, draft: Draft) -> Result<Appended, AppendError> {
        let epoch = self.epoch();
        let events = self.topics.entry(draft.topic.clone()).or_default();
        let same = |event: &&Event| event.author.id == draft.author.id && event.key == draft.key;
        if let Some(event) = events.iter().find(same) {
            return if event.payload == draft.payload {
                Ok(Appended { event: event.clone(), epoch, outcome: Outcome::Replayed })
            } else {
                Err(AppendError::KeyReused)
            };
        }
        let event = draft.into_event(Seq(events.len() as u64 + 1));
        events.push(event.clone());
        self.order.retain(|topic| *topic != event.topic);
        self.order.push(event.topic.clone());
        Ok(Appended { event, epoch, outcome: Outcome::New })
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(&self, drafts: Vec<Draft>) -> Vec<Result<Appended, AppendError>> {
        let mut log = self.0.lock().unwrap();
        drafts.into_iter().map(|draft| log.append(draft)).collect()
    }

    async fn read(&self, topic: &Topic, range: Range) -> Result<EventPage, LogError> {
        let log = self.0.lock().unwrap();
        let events = log.topics.get(topic).map_or(&[][..], Vec::as_slice);
        let epoch = log.epoch();
        let head = Seq(events.len() as u64);
        let span = range.span(&epoch, head);
        let events = span.page(events.iter().filter(|event| (span.first..=span.last).contains(&event.seq)));
        Ok(EventPage { topic: topic.clone(), epoch, head, events })
    }

    async fn heads(&self, of: HeadsOf<'_>) -> Result<Heads, LogError> {
        let log = self.0.lock().unwrap();
        let mut found: Vec<_> = log.topics.iter().filter(|(_, events)| !events.is_empty()).collect();
        let position = |topic: &Topic| log.order.iter().position(|known| known == topic);
        found.sort_by_key(|(topic, _)| Reverse(position(topic)));
        match of {
            HeadsOf::Topics(topics) => found.retain(|(topic, _)| topics.contains(topic)),
            HeadsOf::Newest(namespace, most) => {
                found.retain(|(topic, _)| topic.namespace() == namespace);
                found.truncate(most as usize);
            }
        }
        let latest_first = found.iter().map(|(topic, _)| (*topic).clone()).collect();
        let heads =
            found.into_iter().map(|(topic, events)| (topic.clone(), Seq(events.len() as u64))).collect();
        Ok(Heads { epoch: log.epoch(), heads, latest_first })
    }

    async fn try_write(&self) -> Result<(), LogError> {
        Ok(())
    }
}
