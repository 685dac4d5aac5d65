//! `Tail`: the newest events of a topic in use, in memory.
//!
//! After a restart every client comes back at once and pulls the same gap. The hub has just read it, so the log need
//! not be read a thousand times.

use std::collections::VecDeque;
use std::sync::Arc;

use shared::{Epoch, Event, Part, Seq};

use crate::range::{Range, bytes};

/// The number of events that the hub reads at once, and up to which a reader catches up.
pub const EVENTS_MAX: usize = 500;
/// Room for 64 payloads of the largest size.
const BYTES_MAX: usize = 512 * 1_024;

/// Events that follow one another without a hole, bounded in number and in bytes.
#[derive(Default)]
pub struct Tail {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
}

impl Tail {
    /// Adds the event that follows, and drops the oldest ones past the bounds.
    pub fn push(&mut self, event: Arc<Event>) {
        self.bytes += bytes(&event);
        self.events.push_back(event);
        while self.events.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= bytes(&oldest);
        }
    }

    /// Drops all events.
    pub fn clear(&mut self) {
        *self = Tail::default();
    }

    /// Returns the page of that range, if all of it is here. A position that the topic does not have is left to the log.
    pub fn read(&self, range: &Range, epoch: &Epoch, head: Seq) -> Option<Vec<Event>> {
        let foreign = range.epoch.as_ref().is_some_and(|known| known != epoch);
        if foreign || matches!(range.part, Part::After(after) if after > head) {
            return None;
        }
        let span = range.span(epoch, head);
        if span.is_empty() {
            return Some(Vec::new());
        }
        let start = self.events.front().map(|oldest| oldest.seq).filter(|oldest| *oldest <= span.first)?;
        let (from, to) = (span.first.since(start) as usize, span.last.next().since(start) as usize);
        Some(span.page(self.events.range(from..to).map(Arc::as_ref)))
    }
}

#[cfg(test)]
mod tests {
    use shared::{DisplayName, Identity, Key, Payload, UserId};

    use super::*;

    fn event(seq: u64, text: &str) -> Arc<Event> {
        Arc::new(Event {
            topic: "probe:a".parse().unwrap(),
            seq: Seq(seq),
            at: 0,
            author: Identity { id: UserId("u".into()), name: DisplayName::parse("Ada").unwrap() },
            key: Key::try_from(format!("k{seq}")).unwrap(),
            payload: Payload::of(&text).unwrap(),
        })
    }

    fn epoch() -> Epoch {
        Epoch::try_from("e1".to_owned()).unwrap()
    }

    fn read(tail: &Tail, part: Part, limit: u32, head: u64) -> Option<Vec<u64>> {
        let events = tail.read(&Range { part, epoch: Some(epoch()), limit }, &epoch(), Seq(head))?;
        Some(events.iter().map(|event| event.seq.0).collect())
    }

    #[test]
    fn a_page_is_answered_only_if_all_of_it_is_in_memory() {
        let mut tail = Tail::default();
        (3..=7).for_each(|seq| tail.push(event(seq, "x")));
        assert_eq!(read(&tail, Part::After(Seq(4)), 2, 7), Some(vec![5, 6]));
        assert_eq!(read(&tail, Part::After(Seq(7)), 9, 7), Some(vec![]));
        assert_eq!(read(&tail, Part::Newest, 5, 7), Some(vec![3, 4, 5, 6, 7]));
        assert_eq!(read(&tail, Part::Before(Seq(6)), 2, 7), Some(vec![4, 5]));
        assert_eq!(read(&tail, Part::Newest, 6, 7), None, "the oldest of them is not here");
        assert_eq!(read(&tail, Part::After(Seq(1)), 9, 7), None);
        assert_eq!(
            read(&tail, Part::After(Seq(8)), 9, 7),
            None,
            "a position beyond the head is left to the log"
        );
    }

    #[test]
    fn a_page_of_another_epoch_is_left_to_the_log() {
        let mut tail = Tail::default();
        tail.push(event(1, "x"));
        let other = Epoch::try_from("e2".to_owned()).unwrap();
        let range = Range { part: Part::After(Seq::ZERO), epoch: Some(other), limit: 9 };
        assert_eq!(tail.read(&range, &epoch(), Seq(1)), None);
    }

    #[test]
    fn the_tail_is_bounded_in_number_and_in_bytes() {
        let mut tail = Tail::default();
        (1..=2_000).for_each(|seq| tail.push(event(seq, "x")));
        assert_eq!(tail.events.len(), EVENTS_MAX);
        let long = "x".repeat(8_000);
        (2_001..=2_500).for_each(|seq| tail.push(event(seq, &long)));
        assert!(tail.bytes <= BYTES_MAX && tail.events.len() > 50, "{} events", tail.events.len());
    }
}
