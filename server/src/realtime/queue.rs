//! `Queue`: the frames that wait for one reader, bounded in number and in bytes, and what did not fit.

use std::collections::BTreeSet;

use bytes::Bytes;
use shared::Topic;

/// See the module.
pub struct Queue {
    frames_max: usize,
    bytes_max: usize,
    frames: Vec<Bytes>,
    bytes: usize,
    /// The place behind the last event: a `head` before it must stay where it is.
    events_end: usize,
    /// Where the frames stand that a newer one of the same topic replaces. Few, and mostly none.
    replaceable: Vec<(Kind, Topic, usize)>,
    owed: Owed,
}

/// What did not fit, and is to be told once there is room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owed {
    /// Topics of which events were skipped: they take no event before their next `head`.
    pub heads: BTreeSet<Topic>,
    /// Topics whose presence has changed.
    pub presences: BTreeSet<Topic>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Head,
    Presence,
}

impl Queue {
    /// An empty queue with these bounds.
    pub fn new(frames_max: usize, bytes_max: usize) -> Queue {
        let (frames, replaceable, owed) = (Vec::new(), Vec::new(), Owed::default());
        Queue { frames_max, bytes_max, frames, bytes: 0, events_end: 0, replaceable, owed }
    }

    /// Adds an event if it fits; else its topic is owed a `head`, and takes no event before that.
    pub fn event(&mut self, topic: &Topic, frame: &Bytes) {
        if self.owed.heads.contains(topic) {
            return;
        }
        if self.fits(frame.len()) {
            self.push(frame.clone());
            self.events_end = self.frames.len();
        } else {
            self.owed.heads.insert(topic.clone());
        }
    }

    /// Adds a `head`, or replaces an older one behind which no event stands. Where it does not fit, it is owed.
    pub fn head(&mut self, topic: &Topic, frame: Bytes) {
        if self.place(Kind::Head, topic, frame) {
            self.owed.heads.remove(topic);
        } else {
            self.owed.heads.insert(topic.clone());
        }
    }

    /// Adds a topic's presence, or replaces an older one. Where it does not fit, it is owed.
    pub fn presence(&mut self, topic: &Topic, frame: Bytes) {
        if self.place(Kind::Presence, topic, frame) {
            self.owed.presences.remove(topic);
        } else {
            self.owed.presences.insert(topic.clone());
        }
    }

    /// Adds a frame, whether or not it fits.
    pub fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push(frame);
    }

    /// Whether a frame of that length fits.
    pub fn fits(&self, bytes: usize) -> bool {
        self.frames.len() < self.frames_max && self.bytes + bytes <= self.bytes_max
    }

    /// Whether a frame of that length fits, and leaves half of the queue to those that must not be lost.
    pub fn fits_well(&self, bytes: usize) -> bool {
        self.frames.len() < self.frames_max / 2 && self.bytes + bytes <= self.bytes_max / 2
    }

    /// How many frames wait, and how many are owed: whether a change is worth waking the reader's task.
    pub fn counts(&self) -> (usize, usize) {
        (self.frames.len(), self.owed.heads.len() + self.owed.presences.len())
    }

    /// Takes all frames.
    pub fn take(&mut self) -> Vec<Bytes> {
        self.bytes = 0;
        self.events_end = 0;
        self.replaceable.clear();
        std::mem::take(&mut self.frames)
    }

    /// What did not fit.
    pub fn owed(&self) -> &Owed {
        &self.owed
    }

    /// Nothing of the topic is owed any more. What is queued of it stays.
    pub fn forget(&mut self, topic: &Topic) {
        self.owed.heads.remove(topic);
        self.owed.presences.remove(topic);
    }

    fn place(&mut self, kind: Kind, topic: &Topic, frame: Bytes) -> bool {
        let older = self.replaceable.iter().find(|(of, about, at)| {
            *of == kind && about == topic && (kind == Kind::Presence || *at >= self.events_end)
        });
        let Some(at) = older.map(|(_, _, at)| *at) else {
            let fits = self.fits(frame.len());
            if fits {
                self.replaceable.push((kind, topic.clone(), self.frames.len()));
                self.push(frame);
            }
            return fits;
        };
        let bytes = self.bytes - self.frames[at].len() + frame.len();
        let fits = bytes <= self.bytes_max;
        if fits {
            self.bytes = bytes;
            self.frames[at] = frame;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> Topic {
        Topic::new("probe", name).unwrap()
    }

    #[test]
    fn what_does_not_fit_marks_its_topic_and_later_events_wait_for_the_head() {
        let mut queue = Queue::new(2, 1_000);
        for text in ["1", "2", "3"] {
            queue.event(&topic("a"), &Bytes::from(text));
        }
        assert_eq!(queue.take(), ["1", "2"]);
        assert_eq!(Vec::from_iter(queue.owed().heads.iter().cloned()), [topic("a")]);

        queue.event(&topic("a"), &Bytes::from("4"));
        queue.event(&topic("b"), &Bytes::from("other"));
        assert_eq!(queue.take(), ["other"], "a topic that is behind takes no event before its head");

        queue.head(&topic("a"), Bytes::from("head"));
        queue.event(&topic("a"), &Bytes::from("5"));
        assert_eq!(queue.take(), ["head", "5"]);
        assert!(queue.owed().heads.is_empty());
    }

    #[test]
    fn the_bytes_are_bounded_too() {
        let mut queue = Queue::new(100, 10);
        queue.event(&topic("a"), &Bytes::from("12345678"));
        queue.event(&topic("b"), &Bytes::from("123"));
        assert_eq!(queue.take().len(), 1);
        assert_eq!(Vec::from_iter(queue.owed().heads.iter().cloned()), [topic("b")]);
    }

    #[test]
    fn answers_are_added_past_the_bounds() {
        let mut queue = Queue::new(1, 10);
        queue.push(Bytes::from("one"));
        assert!(!queue.fits(0));
        queue.push(Bytes::from("two"));
        assert_eq!(queue.take(), ["one", "two"]);
    }

    #[test]
    fn a_newer_head_takes_the_place_of_an_older_one_unless_an_event_stands_behind_it() {
        let mut queue = Queue::new(100, 1_000);
        queue.head(&topic("a"), Bytes::from("head 1"));
        queue.head(&topic("a"), Bytes::from("head 2"));
        queue.event(&topic("a"), &Bytes::from("3"));
        queue.head(&topic("a"), Bytes::from("head 9"));
        assert_eq!(queue.take(), ["head 2", "3", "head 9"]);
        queue.head(&topic("a"), Bytes::from("head 10"));
        assert_eq!(queue.take(), ["head 10"], "what was taken is not replaced");
    }

    #[test]
    fn a_topic_has_one_presence_in_the_queue_and_one_that_does_not_fit_is_owed() {
        let mut queue = Queue::new(2, 1_000);
        queue.presence(&topic("a"), Bytes::from("one"));
        queue.event(&topic("a"), &Bytes::from("1"));
        queue.presence(&topic("a"), Bytes::from("two"));
        queue.presence(&topic("b"), Bytes::from("other"));
        assert_eq!(Vec::from_iter(queue.owed().presences.iter().cloned()), [topic("b")]);
        assert_eq!(queue.take(), ["two", "1"]);
        queue.presence(&topic("b"), Bytes::from("other"));
        assert!(queue.owed().presences.is_empty());
    }

    #[test]
    fn a_head_that_does_not_fit_is_owed_like_one_that_was_skipped() {
        let mut queue = Queue::new(1, 1_000);
        queue.push(Bytes::from("answer"));
        queue.head(&topic("a"), Bytes::from("head"));
        queue.event(&topic("a"), &Bytes::from("1"));
        assert_eq!(queue.take(), ["answer"]);
        assert_eq!(Vec::from_iter(queue.owed().heads.iter().cloned()), [topic("a")]);
    }
}
