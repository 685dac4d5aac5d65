//! What must hold once every fault is over: judged at the end of a run, over all readers, acks and the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::{Event, Position, Seq, Status, Topic};

use super::reader::Reader;
use super::reading::Reading;
use super::world::World;

/// No reader needs more pulls than this for one topic, whatever befell it.
const PULLS_MAX: u64 = 120;

/// Why a reader is not where it should be by now; nothing when it is.
pub fn unsettled(world: &World, reader: &Reader) -> Option<String> {
    let who = &reader.identity.id;
    let status = reader.status();
    if !matches!(status, Status::Connected | Status::Polling) {
        return Some(format!("{who} is {status:?}"));
    }
    let behind = |(topic, reading): (&Topic, &Reading)| {
        let (epoch, all) = world.log.all(topic);
        let head = Position { epoch, seq: Seq(all.len() as u64) };
        let at = reading.feed.position();
        let is_there = at.as_ref() == Some(&head) || !world.people.may(who, topic);
        (!is_there).then(|| format!("{who} ({status:?}) is at {at:?} of {topic}, the log at {head:?}"))
    };
    reader.look(|readings| {
        let all_open = readings.len() == world.topics.len();
        if all_open { readings.iter().find_map(behind) } else { Some(format!("{who} has topics closed")) }
    })
}

/// Judges the end of a run.
pub fn judge(world: &World, readers: &[Arc<Reader>]) {
    let log: BTreeMap<&Topic, Vec<Event>> =
        world.topics.iter().map(|topic| (topic, world.log.all(topic).1)).collect();
    every_ack_is_kept(world, &log);
    every_key_is_one_event(world, &log);
    for reader in readers {
        reader.look(|readings| {
            for (topic, reading) in readings {
                shows_the_log(world, reader, topic, reading, &log[topic]);
            }
        });
    }
}

fn every_ack_is_kept(world: &World, log: &BTreeMap<&Topic, Vec<Event>>) {
    for owed in world.ledger.owed() {
        let is_it = |event: &&Event| event.author.id == owed.author && event.key == owed.key;
        let there: Vec<Seq> = log[&owed.ack.topic].iter().filter(is_it).map(|event| event.seq).collect();
        if there != [owed.ack.seq] {
            let how = format!("{} {} of {} is at {there:?}", owed.ack.topic, owed.ack.seq, owed.key.as_str());
            world.trace.broken("what was acknowledged is in the log, once", how);
        }
    }
}

fn every_key_is_one_event(world: &World, log: &BTreeMap<&Topic, Vec<Event>>) {
    for (topic, events) in log {
        let mut first = BTreeMap::new();
        for event in events {
            let name = (&event.author.id, &event.key);
            if let Some(seq) = first.insert(name, event.seq) {
                let how = format!("{topic} {seq} and {} are {}", event.seq, event.key.as_str());
                world.trace.broken("a key never stands for two events", how);
            }
        }
    }
}

/// From the page on with which it started over, a reader shows exactly what the log has.
fn shows_the_log(world: &World, reader: &Reader, topic: &Topic, reading: &Reading, log: &[Event]) {
    let who = &reader.identity.id;
    if reading.pulls > PULLS_MAX {
        world.trace.broken("pulls are few", format!("{who} sent {} for {topic}", reading.pulls));
    }
    if !world.people.may(who, topic) {
        return;
    }
    let from = reading.applied.first().map_or(log.len(), |first| first.seq.before().0 as usize);
    if log.get(from..) != Some(reading.applied.as_slice()) {
        let seqs = |events: &[Event]| events.iter().map(|event| event.seq.0).collect::<Vec<_>>();
        let how = format!("{who} in {topic}: {:?}, the log {:?}", seqs(&reading.applied), seqs(log));
        world.trace.broken("every reader shows what the log has, once and in order", how);
    }
}
