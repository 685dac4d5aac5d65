//! `Outbox`: the bounded queue of frames to one reader. Nobody ever waits for it.
//!
//! An event that does not fit is not queued: its topic is marked behind, and once the reader has taken what was
//! there, it is told the head and pulls the rest. So a slow reader costs at most its queue and loses nothing.

use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use serde::Serialize;
use shared::{CloseReason, Topic};
use tokio::sync::Notify;

use crate::realtime::queue::{Owed, Queue};

/// See the module. The lock inside is held for a few instructions and takes no other.
pub struct Outbox {
    waiting: Mutex<Waiting>,
    filled: Notify,
    /// Apart from `filled`, since whoever waits for an end takes no frames.
    ended: Notify,
}

struct Waiting {
    queue: Queue,
    ending: Option<Ending>,
}

/// Why a reader is sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// For this reason.
    Close(CloseReason),
    /// The node goes away: come back after that long.
    Drain {
        /// Another one for each reader.
        reconnect_after_ms: u64,
    },
}

/// What a reader takes in one go.
#[derive(Debug, Default)]
pub struct Batch {
    /// Encoded frames, in order.
    pub frames: Vec<Bytes>,
    /// After these frames the reader is sent away.
    pub ending: Option<Ending>,
}

impl Outbox {
    /// An empty queue with these bounds.
    pub fn new(frames_max: usize, bytes_max: usize) -> Outbox {
        let queue = Queue::new(frames_max, bytes_max);
        Outbox {
            waiting: Mutex::new(Waiting { queue, ending: None }),
            filled: Notify::new(),
            ended: Notify::new(),
        }
    }

    /// Offers an event's frame. Where it does not fit, the topic is marked behind, and stays without events until
    /// [`Outbox::head`] ends that: a hole would be of no use to the reader.
    pub fn offer(&self, topic: &Topic, frame: &Bytes) {
        self.fill(|queue| queue.event(topic, frame));
    }

    /// Offers a frame that may be lost, and never takes the place of one that must not.
    pub fn offer_once(&self, frame: &Bytes) {
        self.fill(|queue| {
            if queue.fits_well(frame.len()) {
                queue.push(frame.clone());
            }
        });
    }

    /// Queues an answer to what the reader sent. Never skipped: the node reads a socket only while
    /// [`Outbox::has_room`], which bounds how many there are.
    pub fn answer(&self, frame: Bytes) {
        self.fill(|queue| queue.push(frame));
    }

    /// Offers a `head`, after which events of that topic are offered again. It takes the place of an older one
    /// behind which no event stands. Where it does not fit, it is owed.
    pub fn head(&self, topic: &Topic, frame: Bytes) {
        self.fill(|queue| queue.head(topic, frame));
    }

    /// Offers a topic's presence, in the place of an older one. Where it does not fit, it is owed.
    pub fn presence(&self, topic: &Topic, frame: Bytes) {
        self.fill(|queue| queue.presence(topic, frame));
    }

    /// Sends the reader away once the frames that wait are written. The first ending stands.
    pub fn end(&self, ending: Ending) {
        self.lock().ending.get_or_insert(ending);
        self.filled.notify_one();
        self.ended.notify_one();
    }

    /// Whether the reader is sent away, and why.
    pub fn ending(&self) -> Option<Ending> {
        self.lock().ending
    }

    /// Returns when the reader is sent away.
    pub async fn ended(&self) -> Ending {
        loop {
            if let Some(ending) = self.ending() {
                return ending;
            }
            self.ended.notified().await;
        }
    }

    /// Forgets a topic that is no longer listened to. What is queued of it is still told.
    pub fn forget(&self, topic: &Topic) {
        self.lock().queue.forget(topic);
    }

    /// Whether an answer would still fit.
    pub fn has_room(&self) -> bool {
        self.lock().queue.fits(1)
    }

    /// Returns when there is something to take, or something is owed.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Takes all frames that wait.
    pub fn take(&self) -> Batch {
        let mut waiting = self.lock();
        Batch { frames: waiting.queue.take(), ending: waiting.ending }
    }

    /// What is owed. It stays so until [`Outbox::head`] and [`Outbox::presence`] find room.
    pub fn owed(&self) -> Owed {
        self.lock().queue.owed().clone()
    }

    fn fill(&self, change: impl FnOnce(&mut Queue)) {
        let mut waiting = self.lock();
        let before = waiting.queue.counts();
        change(&mut waiting.queue);
        let is_news = waiting.queue.counts() != before;
        drop(waiting);
        // What is owed and still does not fit would wake a task that offers it again, for ever.
        if is_news {
            self.filled.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no code panics while it holds this lock")
    }
}

/// A frame as it crosses the wire.
pub fn encode(frame: &impl Serialize) -> Bytes {
    serde_json::to_vec(frame).expect("a frame has only string keys and finite numbers").into()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn what_is_owed_and_still_does_not_fit_wakes_nobody_again() {
        let (outbox, topic) = (Outbox::new(4, 10), Topic::new("probe", "a").unwrap());
        let presence = Bytes::from_static(b"longer than ten bytes");
        outbox.presence(&topic, presence.clone());
        assert!(outbox.filled().now_or_never().is_some(), "that something is owed is news");
        outbox.presence(&topic, presence);
        assert!(outbox.filled().now_or_never().is_none());
    }

    #[test]
    fn what_may_be_lost_leaves_half_of_the_queue_to_what_must_not() {
        let (outbox, topic, frame) =
            (Outbox::new(4, 100), Topic::new("probe", "a").unwrap(), Bytes::from("x"));
        (0..9).for_each(|_| outbox.offer_once(&frame));
        (0..2).for_each(|_| outbox.offer(&topic, &frame));
        assert_eq!(outbox.take().frames.len(), 4);
        assert!(outbox.owed().heads.is_empty());
    }
}
