//! `Range`: the events of a topic that a page holds, in number and in bytes.

use shared::{Epoch, Event, Part, Pull, Seq};

/// Bytes of all events of one page. A page of the largest payloads would be 4 MB, and a crowd that catches up asks for
/// many of them at once.
const PAGE_BYTES_MAX: usize = 256 * 1_024;
/// Bytes that an event takes beside its payload, roughly.
const ENVELOPE_BYTES: usize = 200;

/// The events of a topic to read.
#[derive(Debug, Clone)]
pub struct Range {
    /// The part of the topic.
    pub part: Part,
    /// The epoch that the reader knows, if it said so.
    pub epoch: Option<Epoch>,
    /// The number of events at most; 0 reads only epoch and head.
    pub limit: u32,
}

/// The events of a range, given the epoch and the head of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The oldest of them. There are none if it is beyond `last`.
    pub first: Seq,
    /// The newest of them.
    pub last: Seq,
    /// The end that the page must hold if not all of them fit.
    pub keep: PageEnd,
}

/// An end of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageEnd {
    /// The oldest events: the reader goes on after the ones that it has.
    Oldest,
    /// The newest events: the reader goes back from the ones that it has, or has none.
    Newest,
}

impl Range {
    /// Returns the range that answers a reader's pull.
    pub fn of(pull: Pull, limit: u32) -> Range {
        match pull.after {
            None => Range { part: Part::Newest, epoch: None, limit },
            Some(at) => Range { part: Part::After(at.seq), epoch: Some(at.epoch), limit },
        }
    }

    /// Returns the events of the range. A foreign epoch, or a position beyond the head, makes it void: then it is the
    /// newest page.
    pub fn span(&self, epoch: &Epoch, head: Seq) -> Span {
        let limit = u64::from(self.limit);
        let foreign = self.epoch.as_ref().is_some_and(|known| known != epoch);
        match self.part {
            Part::After(after) if !foreign && after <= head => {
                let last = Seq(after.0.saturating_add(limit).min(head.0));
                Span { first: after.next(), last, keep: PageEnd::Oldest }
            }
            Part::Before(before) if !foreign => Span::ending_at(before.before().min(head), limit),
            _ => Span::ending_at(head, limit),
        }
    }
}

impl Span {
    /// True if it holds no event.
    pub fn is_empty(self) -> bool {
        self.first > self.last
    }

    /// Cuts the page out of these events, which are all of the span.
    pub fn page<'a>(self, events: impl DoubleEndedIterator<Item = &'a Event>) -> Vec<Event> {
        let mut budget = PageBudget::default();
        let takes = |event: &&Event| budget.takes(event);
        match self.keep {
            PageEnd::Oldest => events.take_while(takes).cloned().collect(),
            PageEnd::Newest => {
                let mut page: Vec<Event> = events.rev().take_while(takes).cloned().collect();
                page.reverse();
                page
            }
        }
    }

    fn ending_at(last: Seq, limit: u64) -> Span {
        Span { first: Seq(last.0.saturating_sub(limit) + 1), last, keep: PageEnd::Newest }
    }
}

/// The bytes that a page may still take.
pub struct PageBudget(usize);

impl Default for PageBudget {
    fn default() -> PageBudget {
        PageBudget(PAGE_BYTES_MAX)
    }
}

impl PageBudget {
    /// Takes the next event, if it fits. The first always does, or a reader would never get past it.
    pub fn takes(&mut self, event: &Event) -> bool {
        let fits = self.0 == PAGE_BYTES_MAX || bytes(event) <= self.0;
        self.0 = self.0.saturating_sub(bytes(event));
        fits
    }
}

/// The bytes of an event in memory and on the wire, roughly.
pub fn bytes(event: &Event) -> usize {
    event.payload.as_json().len() + ENVELOPE_BYTES
}
