//! `Witness`: stands at one socket of a node and judges what the node says there, at the moment it says it.

use std::collections::BTreeMap;

use realtime::Batch;
use shared::{Millis, Seq, ServerFrame, Topic, UserId};

use super::trace::now;
use super::world::World;
use crate::support::read_frame;

/// Answers may be in the queue beside what its bound allows: so many at most.
const ANSWERS_MAX: usize = 12;

/// See the module.
pub struct Witness<'a> {
    world: &'a World,
    node: &'a str,
    who: UserId,
    /// When the queue was last emptied: what is in it was put there since.
    emptied: Millis,
    /// What the socket was told of each topic: its head, and every event after it.
    told: BTreeMap<Topic, Seq>,
}

impl<'a> Witness<'a> {
    /// Nothing was said yet.
    pub fn new(world: &'a World, node: &'a str, who: &UserId) -> Witness<'a> {
        Witness { world, node, who: who.clone(), emptied: now(), told: BTreeMap::new() }
    }

    /// What the node says next.
    pub fn sees(&mut self, batch: &Batch) {
        let bound = self.world.shape.mailbox_frames_max as usize + ANSWERS_MAX;
        if batch.frames.len() > bound {
            self.broken("a queue is bounded", format!("{} frames waited", batch.frames.len()));
        }
        for bytes in &batch.frames {
            match read_frame(std::str::from_utf8(bytes).expect("a frame is text")) {
                ServerFrame::Head { topic, epoch, seq } => {
                    self.note(format!("head {topic} {epoch} {seq}"));
                    if self.told.insert(topic, seq).is_some() {
                        self.world.trace.count("head told again");
                    }
                }
                ServerFrame::Event(event) => self.sees_event(event.topic, event.seq, event.at),
                ServerFrame::Refused { topic, .. } => {
                    self.note(format!("refused {topic}"));
                    self.world.trace.count("refused");
                }
                ServerFrame::Presence { .. } => self.world.trace.count("presence told"),
                _ => {}
            }
        }
        self.emptied = now();
    }

    fn sees_event(&mut self, topic: Topic, seq: Seq, at: Millis) {
        self.note(format!("event {topic} {seq}"));
        self.world.trace.count("event pushed");
        let told = self.told.insert(topic.clone(), seq);
        if told.map(Seq::next) != Some(seq) {
            let how = format!("{topic} {seq} after {told:?}");
            self.broken("on a socket events follow the head with no hole and no repetition", how);
        }
        // It cannot have been put there before it was published, nor before the queue was last emptied.
        if self.world.people.was_denied(&self.who, &topic, at.max(self.emptied), now()) {
            self.broken("nobody is pushed what they may not read", format!("{topic} {seq}"));
        }
    }

    fn note(&self, what: String) {
        self.world.trace.note(format_args!("{} -> {} {what}", self.node, self.who));
    }

    fn broken(&self, promise: &str, how: String) {
        self.world.trace.broken(promise, format_args!("{} -> {}: {how}", self.node, self.who));
    }
}
