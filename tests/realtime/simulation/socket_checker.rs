//! `SocketChecker`: checks the frames that a node puts on one socket, at the moment it sends them.

use std::collections::BTreeMap;

use realtime::Batch;
use shared::{Millis, Seq, ServerFrame, Topic, UserId};

use super::trace::now;
use super::world::World;
use crate::support::read_frame;

/// Answers may wait in the mailbox beyond its bound, but no more than this many.
const ANSWERS_MAX: usize = 12;

/// The rules that the frames of one socket must keep, and what they depend on.
pub struct SocketChecker<'a> {
    world: &'a World,
    node: &'a str,
    user: UserId,
    /// The time at which the mailbox was last emptied: everything in it was put there later.
    emptied_at: Millis,
    /// The seq of each topic that the socket got last, as a head or as an event.
    last_seqs: BTreeMap<Topic, Seq>,
}

impl<'a> SocketChecker<'a> {
    /// Creates a checker for a socket on which nothing was sent yet.
    pub fn new(world: &'a World, node: &'a str, user: &UserId) -> SocketChecker<'a> {
        SocketChecker { world, node, user: user.clone(), emptied_at: now(), last_seqs: BTreeMap::new() }
    }

    /// Checks the frames that the node takes from the mailbox to send them.
    pub fn check(&mut self, batch: &Batch) {
        let bound = self.world.sizes.mailbox_frames_max as usize + ANSWERS_MAX;
        if batch.frames.len() > bound {
            self.violation("a mailbox is bounded", format!("{} frames waited", batch.frames.len()));
        }
        for bytes in &batch.frames {
            match read_frame(std::str::from_utf8(bytes).expect("a frame is text")) {
                ServerFrame::Head { topic, epoch, seq } => {
                    self.note(format!("head {topic} {epoch} {seq}"));
                    if self.last_seqs.insert(topic, seq).is_some() {
                        self.world.trace.count("head sent again");
                    }
                }
                ServerFrame::Event(event) => self.check_event(event.topic, event.seq, event.at),
                ServerFrame::Refused { topic, .. } => {
                    self.note(format!("refused {topic}"));
                    self.world.trace.count("refused");
                }
                ServerFrame::Presence { .. } => self.world.trace.count("presence sent"),
                _ => {}
            }
        }
        self.emptied_at = now();
    }

    fn check_event(&mut self, topic: Topic, seq: Seq, at: Millis) {
        self.note(format!("event {topic} {seq}"));
        self.world.trace.count("event pushed");
        let last = self.last_seqs.insert(topic.clone(), seq);
        if last.map(Seq::next) != Some(seq) {
            let details = format!("{topic} {seq} after {last:?}");
            self.violation("events on a socket follow the head without a gap or a repetition", details);
        }
        // The event was put into the mailbox after it was published, and after the mailbox was last emptied.
        let since = at.max(self.emptied_at);
        if self.world.accounts.was_denied(&self.user, &topic, since, now()) {
            self.violation("nobody is pushed an event that they may not read", format!("{topic} {seq}"));
        }
    }

    fn note(&self, frame: String) {
        self.world.trace.note(format_args!("{} -> {} {frame}", self.node, self.user));
    }

    fn violation(&self, promise: &str, details: String) {
        self.world.trace.violation(promise, format_args!("{} -> {}: {details}", self.node, self.user));
    }
}
