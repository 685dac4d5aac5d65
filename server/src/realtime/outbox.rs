//! `Outbox`: the bounded queue of frames to one reader. Nobody ever waits for it.
//!
//! An event that does not fit is not queued: its topic is marked behind, and once the reader has taken what was
//! there, it is told the head and pulls the rest. So a slow reader costs at most its queue and loses nothing.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use shared::{CloseReason, ServerFrame, Topic};
use tokio::sync::Notify;

/// One reader's queue. The lock inside is held for a few instructions and takes no other.
pub struct Outbox {
    frames_max: usize,
    bytes_max: usize,
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Default)]
struct Waiting {
    frames: Vec<Bytes>,
    bytes: usize,
    behind: BTreeSet<Topic>,
    close: Option<CloseReason>,
}

/// What a reader takes in one go.
#[derive(Debug, Default)]
pub struct Batch {
    /// Encoded frames, in order.
    pub frames: Vec<Bytes>,
    /// After these frames the socket is closed.
    pub close: Option<CloseReason>,
}

impl Outbox {
    /// An empty queue with these bounds.
    pub fn new(frames_max: usize, bytes_max: usize) -> Outbox {
        Outbox { frames_max, bytes_max, waiting: Mutex::default(), filled: Notify::new() }
    }

    /// Offers an event's frame. Where it does not fit, the topic is marked behind, and stays without events until
    /// [`Outbox::head`] ends that: a hole would be of no use to the reader.
    pub fn offer(&self, topic: &Topic, frame: &Bytes) {
        let mut waiting = self.lock();
        if waiting.behind.contains(topic) {
            return;
        }
        if self.fits(&waiting, frame) {
            waiting.push(frame.clone());
        } else {
            waiting.behind.insert(topic.clone());
        }
        drop(waiting);
        self.filled.notify_one();
    }

    /// Offers a frame that may be lost.
    pub fn offer_once(&self, frame: &Bytes) {
        let mut waiting = self.lock();
        if self.fits(&waiting, frame) {
            waiting.push(frame.clone());
            drop(waiting);
            self.filled.notify_one();
        }
    }

    /// Queues an answer to what the reader sent. Never skipped: the node reads a socket only while
    /// [`Outbox::has_room`], which bounds how many there are.
    pub fn answer(&self, frame: Bytes) {
        self.lock().push(frame);
        self.filled.notify_one();
    }

    /// Queues a `head` frame, after which events of that topic are offered again.
    pub fn head(&self, topic: &Topic, frame: Bytes) {
        let mut waiting = self.lock();
        waiting.behind.remove(topic);
        waiting.push(frame);
        drop(waiting);
        self.filled.notify_one();
    }

    /// Closes the socket once the frames that wait are written. The first reason stands.
    pub fn close(&self, reason: CloseReason) {
        self.lock().close.get_or_insert(reason);
        self.filled.notify_one();
    }

    /// Forgets a topic that is no longer listened to.
    pub fn forget(&self, topic: &Topic) {
        self.lock().behind.remove(topic);
    }

    /// Whether an answer would still fit.
    pub fn has_room(&self) -> bool {
        let waiting = self.lock();
        waiting.frames.len() < self.frames_max && waiting.bytes < self.bytes_max
    }

    /// Returns when there is something to take, or a topic is behind.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Takes all frames that wait.
    pub fn take(&self) -> Batch {
        let mut waiting = self.lock();
        waiting.bytes = 0;
        Batch { frames: std::mem::take(&mut waiting.frames), close: waiting.close }
    }

    /// The topics that are behind. They stay marked until their [`Outbox::head`].
    pub fn behind(&self) -> Vec<Topic> {
        self.lock().behind.iter().cloned().collect()
    }

    fn fits(&self, waiting: &Waiting, frame: &Bytes) -> bool {
        waiting.frames.len() < self.frames_max && waiting.bytes + frame.len() <= self.bytes_max
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no code panics while it holds this lock")
    }
}

impl Waiting {
    fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push(frame);
    }
}

/// A frame as it crosses the wire.
pub fn encode(frame: &ServerFrame) -> Bytes {
    serde_json::to_vec(frame).expect("a frame has only string keys and finite numbers").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> Topic {
        Topic::new("probe", name).unwrap()
    }

    #[test]
    fn what_does_not_fit_marks_its_topic_and_later_events_wait_for_the_head() {
        let outbox = Outbox::new(2, 1_000);
        for text in ["1", "2", "3"] {
            outbox.offer(&topic("a"), &Bytes::from(text));
        }
        assert_eq!(outbox.take().frames, ["1", "2"]);
        assert_eq!(outbox.behind(), [topic("a")]);

        outbox.offer(&topic("a"), &Bytes::from("4"));
        outbox.offer(&topic("b"), &Bytes::from("other"));
        assert_eq!(outbox.take().frames, ["other"], "a topic that is behind takes no event before its head");

        outbox.head(&topic("a"), Bytes::from("head"));
        outbox.offer(&topic("a"), &Bytes::from("5"));
        assert_eq!(outbox.take().frames, ["head", "5"]);
        assert!(outbox.behind().is_empty());
    }

    #[test]
    fn the_bytes_are_bounded_too() {
        let outbox = Outbox::new(100, 10);
        outbox.offer(&topic("a"), &Bytes::from("12345678"));
        outbox.offer(&topic("b"), &Bytes::from("123"));
        assert_eq!(outbox.take().frames.len(), 1);
        assert_eq!(outbox.behind(), [topic("b")]);
    }

    #[test]
    fn answers_are_never_skipped() {
        let outbox = Outbox::new(1, 10);
        outbox.answer(Bytes::from("one"));
        assert!(!outbox.has_room());
        outbox.answer(Bytes::from("two"));
        assert_eq!(outbox.take().frames, ["one", "two"]);
    }
}
