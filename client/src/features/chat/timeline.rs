//! `Timeline`: what the events of a room amount to: its lines, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use shared::features::chat::{ChatEvent, Room};
use shared::{Event, Identity, Key, Millis, Seq};

use crate::realtime::Projection;

/// The lines of a room that are known, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    lines: VecDeque<Arc<Line>>,
}

/// One line that was said.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) seq: Seq,
    pub(super) at: Millis,
    pub(super) author: Identity,
    pub(super) key: Key,
    pub(super) text: String,
}

impl Projection for Timeline {
    type Kind = Room;

    fn apply(&mut self, event: &Event, payload: ChatEvent) {
        self.lines.push_back(line(event, payload));
    }

    fn apply_older(&mut self, event: &Event, payload: ChatEvent) {
        self.lines.push_front(line(event, payload));
    }

    fn forget_before(&mut self, seq: Seq) {
        self.lines.drain(..self.lines.partition_point(|line| line.seq < seq));
    }
}

fn line(event: &Event, ChatEvent::Posted { text }: ChatEvent) -> Arc<Line> {
    let (author, key) = (event.author.clone(), event.key.clone());
    Arc::new(Line { seq: event.seq, at: event.at, author, key, text: text.into() })
}

impl Timeline {
    /// The newest seq that is known; zero when there is none.
    pub(super) fn newest(&self) -> Seq {
        self.lines.back().map_or(Seq::ZERO, |line| line.seq)
    }

    /// Where the newest `count` lines begin, when there are more.
    pub(super) fn start_of_newest(&self, count: usize) -> Option<Seq> {
        let start = self.lines.len().checked_sub(count).filter(|start| *start > 0)?;
        self.lines.get(start).map(|line| line.seq)
    }

    /// Whether nothing is known.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// All of them, oldest first.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Arc<Line>> {
        self.lines.iter()
    }

    /// The lines after `seq`, oldest first.
    pub(super) fn after(&self, seq: Seq) -> impl Iterator<Item = &Arc<Line>> {
        self.lines.range(self.lines.partition_point(|line| line.seq <= seq)..)
    }
}
