//! The promises that must hold at the end of a run, checked over all readers, all acknowledgements and the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::{Event, Position, Seq, Status, Topic};

use super::reader::Reader;
use super::topic_reader::TopicReader;
use super::world::World;

/// No reader needs more pulls than this for one topic, whatever faults hit it.
const PULLS_MAX: u64 = 120;

/// Returns the reason why a reader does not have everything yet, or `None` if it does.
pub fn unsettled(world: &World, reader: &Reader) -> Option<String> {
    let user = &reader.identity.id;
    let status = reader.status();
    if !matches!(status, Status::Connected | Status::Polling) {
        return Some(format!("{user} is {status:?}"));
    }
    let behind = |(topic, topic_reader): (&Topic, &TopicReader)| {
        let (epoch, events) = world.log.all(topic);
        let head = Position { epoch, seq: Seq(events.len() as u64) };
        let position = topic_reader.feed.position();
        let is_settled = position.as_ref() == Some(&head) || !world.accounts.can_read(user, topic);
        (!is_settled)
            .then(|| format!("{user} ({status:?}) is at {position:?} of {topic}, the log at {head:?}"))
    };
    reader.with_topics(|topics| {
        if topics.len() == world.topics.len() {
            topics.iter().find_map(behind)
        } else {
            Some(format!("{user} has closed a topic"))
        }
    })
}

/// Checks all promises at the end of a run.
pub fn check_end(world: &World, readers: &[Arc<Reader>]) {
    let log: BTreeMap<&Topic, Vec<Event>> =
        world.topics.iter().map(|topic| (topic, world.log.all(topic).1)).collect();
    check_acks(world, &log);
    check_keys(world, &log);
    for reader in readers {
        reader.with_topics(|topics| {
            for (topic, topic_reader) in topics {
                check_page(world, reader, topic, topic_reader, &log[topic]);
            }
        });
    }
}

fn check_acks(world: &World, log: &BTreeMap<&Topic, Vec<Event>>) {
    for known in world.history.binding_acks() {
        let is_acknowledged = |event: &&Event| event.author.id == known.author && event.key == known.key;
        let events = log[&known.ack.topic].iter().filter(is_acknowledged);
        let seqs: Vec<Seq> = events.map(|event| event.seq).collect();
        if seqs != [known.ack.seq] {
            let key = known.key.as_str();
            let details = format!("{} {} of {key} is at {seqs:?}", known.ack.topic, known.ack.seq);
            world.trace.violation("an acknowledged event is in the log, once", details);
        }
    }
}

fn check_keys(world: &World, log: &BTreeMap<&Topic, Vec<Event>>) {
    for (topic, events) in log {
        let mut seqs = BTreeMap::new();
        for event in events {
            let publish = (&event.author.id, &event.key);
            if let Some(seq) = seqs.insert(publish, event.seq) {
                let details = format!("{topic} {seq} and {} are {}", event.seq, event.key.as_str());
                world.trace.violation("a key never stands for two events", details);
            }
        }
    }
}

/// Checks that a reader shows exactly the events of the log, from the page on with which it started over.
fn check_page(world: &World, reader: &Reader, topic: &Topic, topic_reader: &TopicReader, log: &[Event]) {
    let user = &reader.identity.id;
    if topic_reader.pulls > PULLS_MAX {
        world.trace.violation("pulls are few", format!("{user} sent {} for {topic}", topic_reader.pulls));
    }
    if !world.accounts.can_read(user, topic) {
        return;
    }
    let shown = topic_reader.applied.as_slice();
    let from = shown.first().map_or(log.len(), |first| first.seq.before().0 as usize);
    if log.get(from..) != Some(shown) {
        let seqs = |events: &[Event]| events.iter().map(|event| event.seq.0).collect::<Vec<_>>();
        let details = format!("{user} in {topic}: {:?}, the log {:?}", seqs(shown), seqs(log));
        world.trace.violation("every reader shows the events of the log, once and in order", details);
    }
}
