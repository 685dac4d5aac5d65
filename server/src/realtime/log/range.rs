//! `Range`: which events of a topic a page holds, in number and in bytes.

use shared::{Epoch, Event, Part, Pull, Seq};

/// What the events of one page may weigh together: a page of the largest payloads would be 4 MB, and a crowd that
/// catches up asks for many of them at once.
const PAGE_BYTES_MAX: usize = 256 * 1_024;
/// What an event costs beside its payload, about.
const ENVELOPE_BYTES: usize = 200;

/// Which events of a topic to read.
#[derive(Debug, Clone)]
pub struct Range {
    /// Where from.
    pub part: Part,
    /// The life of the log that the reader knows, where it said so.
    pub epoch: Option<Epoch>,
    /// How many at most; 0 reads only epoch and head.
    pub limit: u32,
}

/// The events that a range means, given what the log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The oldest of them; there are none when it is beyond `last`.
    pub first: Seq,
    /// The newest of them.
    pub last: Seq,
    /// Which end the page must hold, when there is no room for all.
    pub from: End,
}

/// An end of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The reader goes on after what it has.
    Oldest,
    /// The reader goes back from what it has, or has nothing.
    Newest,
}

impl Range {
    /// The range that answers a reader's pull.
    pub fn of(pull: Pull, limit: u32) -> Range {
        match pull.after {
            None => Range { part: Part::Newest, epoch: None, limit },
            Some(at) => Range { part: Part::After(at.seq), epoch: Some(at.epoch), limit },
        }
    }

    /// The events it means. A foreign epoch, or a position beyond the head, makes the range void: it becomes the
    /// newest page.
    pub fn span(&self, epoch: &Epoch, head: Seq) -> Span {
        let limit = u64::from(self.limit);
        let foreign = self.epoch.as_ref().is_some_and(|known| known != epoch);
        match self.part {
            Part::After(after) if !foreign && after <= head => {
                let last = Seq(after.0.saturating_add(limit).min(head.0));
                Span { first: after.next(), last, from: End::Oldest }
            }
            Part::Before(before) if !foreign => Span::ending_at(before.before().min(head), limit),
            _ => Span::ending_at(head, limit),
        }
    }
}

impl Span {
    /// Whether it holds no event.
    pub fn is_empty(self) -> bool {
        self.first > self.last
    }

    /// The page of these events, which are all of the span.
    pub fn page<'a>(self, events: impl DoubleEndedIterator<Item = &'a Event>) -> Vec<Event> {
        let mut room = Room::of_page();
        let takes = |event: &&Event| room.takes(event);
        match self.from {
            End::Oldest => events.take_while(takes).cloned().collect(),
            End::Newest => {
                let mut page: Vec<Event> = events.rev().take_while(takes).cloned().collect();
                page.reverse();
                page
            }
        }
    }

    fn ending_at(last: Seq, limit: u64) -> Span {
        Span { first: Seq(last.0.saturating_sub(limit) + 1), last, from: End::Newest }
    }
}

/// How much a page may still take.
pub struct Room(usize);

impl Room {
    /// That of an empty page.
    pub fn of_page() -> Room {
        Room(PAGE_BYTES_MAX)
    }

    /// Whether the next event fits. The first always does, or a reader would never come past it.
    pub fn takes(&mut self, event: &Event) -> bool {
        let fits = self.0 == PAGE_BYTES_MAX || bytes(event) <= self.0;
        self.0 = self.0.saturating_sub(bytes(event));
        fits
    }
}

/// What an event weighs, in memory and on the wire, about.
pub fn bytes(event: &Event) -> usize {
    event.payload.as_json().len() + ENVELOPE_BYTES
}
