//! `Mailbox`: the bounded queue of frames to one reader. Nobody ever waits for it.
//!
//! An event that does not fit is not queued: its topic then lacks events until the reader is told the head, and the
//! reader pulls the rest. So a slow reader costs at most its queue, and loses nothing.

use std::collections::BTreeSet;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use shared::{CloseReason, Topic};
use tokio::sync::Notify;

/// The frames that wait for one reader, bounded in number and in bytes.
///
/// The lock inside is held for a few instructions and takes no other.
pub struct Mailbox {
    state: Mutex<State>,
    filled: Notify,
    /// Apart from `filled`: a task that waits for the end takes no frames.
    ended: Notify,
}

struct State {
    queue: Queue,
    ending: Option<Ending>,
}

/// The reason for which a reader is sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its socket is closed with this reason.
    Close(CloseReason),
    /// The node is stopping.
    Drain {
        /// The time after which the reader is to come back, different for each.
        reconnect_after_ms: u64,
    },
}

/// All that a reader takes at once.
#[derive(Debug, Default)]
pub struct Batch {
    /// Encoded frames, in order.
    pub frames: Vec<Bytes>,
    /// If set, the reader is sent away after these frames.
    pub ending: Option<Ending>,
}

/// A frame about a topic of which only the newest counts. The mailbox owes it while it does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Debt {
    /// The topic's newest seq. Events of the topic were skipped, and none is queued before it.
    Head,
    /// The people who are present.
    Presence,
}

impl Mailbox {
    /// Creates an empty mailbox with these bounds.
    pub fn new(frames_max: usize, bytes_max: usize) -> Mailbox {
        let state = State { queue: Queue::new(frames_max, bytes_max), ending: None };
        Mailbox { state: Mutex::new(state), filled: Notify::new(), ended: Notify::new() }
    }

    /// Offers an event's frame. If it does not fit, a [`Debt::Head`] is owed, and until that is paid the topic's later
    /// events are skipped too: an event after a hole is of no use to the reader.
    pub fn offer(&self, topic: &Topic, frame: &Bytes) {
        self.fill(|queue| queue.event(topic, frame));
    }

    /// Offers a frame that may be lost. It uses only half of the queue, so that it never displaces one that must not.
    pub fn offer_lossy(&self, frame: &Bytes) {
        self.fill(|queue| {
            if queue.fits_in_half(frame.len()) {
                queue.push(frame.clone());
            }
        });
    }

    /// Queues the answer to a frame of the reader. It is never skipped: the node reads a socket only while
    /// [`Mailbox::can_answer`], which bounds the number of answers.
    pub fn answer(&self, frame: Bytes) {
        self.fill(|queue| queue.push(frame));
    }

    /// Offers the newest frame of its sort, in place of an older one that still waits. If it does not fit, it is owed.
    ///
    /// A head replaces an older one only if no event stands behind that: `head 5, event 6, head 6` stays as it is.
    pub fn offer_newest(&self, topic: &Topic, sort: Debt, frame: Bytes) {
        self.fill(|queue| queue.newest(topic, sort, frame));
    }

    /// Returns the frames that are owed. Each stays so until [`Mailbox::offer_newest`] finds room for it.
    pub fn debts(&self) -> Vec<(Topic, Debt)> {
        self.state.lock().queue.debts.iter().cloned().collect()
    }

    /// Cancels all debts of a topic that the reader no longer listens to. Frames that are queued are still delivered.
    pub fn cancel_debts(&self, topic: &Topic) {
        self.state.lock().queue.debts.retain(|(owed, _)| owed != topic);
    }

    /// Sends the reader away after the frames that wait. The first ending stands.
    pub fn end(&self, ending: Ending) {
        self.state.lock().ending.get_or_insert(ending);
        self.filled.notify_one();
        self.ended.notify_one();
    }

    /// Returns the ending, if the reader is being sent away.
    pub fn ending(&self) -> Option<Ending> {
        self.state.lock().ending
    }

    /// Returns once the reader is being sent away.
    pub async fn ended(&self) -> Ending {
        loop {
            if let Some(ending) = self.ending() {
                return ending;
            }
            self.ended.notified().await;
        }
    }

    /// True while one more answer fits.
    pub fn can_answer(&self) -> bool {
        self.state.lock().queue.fits(1)
    }

    /// Returns once there is a frame to take, a new debt, or an ending.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Takes all frames that wait.
    pub fn take(&self) -> Batch {
        let mut state = self.state.lock();
        Batch { frames: state.queue.take(), ending: state.ending }
    }

    fn fill(&self, change: impl FnOnce(&mut Queue)) {
        let mut state = self.state.lock();
        let before = state.queue.counts();
        change(&mut state.queue);
        let has_changed = state.queue.counts() != before;
        drop(state);
        // A debt that still does not fit must not wake the task that would only offer it again, for ever.
        if has_changed {
            self.filled.notify_one();
        }
    }
}

/// Encodes a frame as it crosses the wire.
pub fn encode(frame: &impl Serialize) -> Bytes {
    serde_json::to_vec(frame).expect("a frame has only string keys and finite numbers").into()
}

struct Queue {
    frames_max: usize,
    bytes_max: usize,
    frames: Vec<Bytes>,
    bytes: usize,
    /// The index behind the last event: a head before it must stay where it is.
    events_end: usize,
    /// The indices of frames that a newer one of the same topic and sort replaces. Few, and mostly none.
    replaceable: Vec<(Topic, Debt, usize)>,
    debts: BTreeSet<(Topic, Debt)>,
}

impl Queue {
    fn new(frames_max: usize, bytes_max: usize) -> Queue {
        Queue {
            frames_max,
            bytes_max,
            frames: Vec::new(),
            bytes: 0,
            events_end: 0,
            replaceable: Vec::new(),
            debts: BTreeSet::new(),
        }
    }

    fn event(&mut self, topic: &Topic, frame: &Bytes) {
        let is_behind = !self.debts.is_empty() && self.debts.contains(&(topic.clone(), Debt::Head));
        if is_behind {
            return;
        }
        if self.fits(frame.len()) {
            self.push(frame.clone());
            self.events_end = self.frames.len();
        } else {
            self.debts.insert((topic.clone(), Debt::Head));
        }
    }

    fn newest(&mut self, topic: &Topic, sort: Debt, frame: Bytes) {
        let debt = (topic.clone(), sort);
        if self.place(topic, sort, frame) {
            self.debts.remove(&debt);
        } else {
            self.debts.insert(debt);
        }
    }

    /// Adds the frame, or replaces the older one. False if it does not fit.
    fn place(&mut self, topic: &Topic, sort: Debt, frame: Bytes) -> bool {
        let older = self.replaceable.iter().find(|(about, of, at)| {
            about == topic && *of == sort && (sort == Debt::Presence || *at >= self.events_end)
        });
        let Some((_, _, at)) = older else {
            if !self.fits(frame.len()) {
                return false;
            }
            self.replaceable.push((topic.clone(), sort, self.frames.len()));
            self.push(frame);
            return true;
        };
        let older = &mut self.frames[*at];
        let bytes = self.bytes - older.len() + frame.len();
        if bytes > self.bytes_max {
            return false;
        }
        self.bytes = bytes;
        *older = frame;
        true
    }

    /// Adds a frame, even if it does not fit.
    fn push(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.frames.push(frame);
    }

    fn fits(&self, bytes: usize) -> bool {
        self.frames.len() < self.frames_max && self.bytes + bytes <= self.bytes_max
    }

    fn fits_in_half(&self, bytes: usize) -> bool {
        self.frames.len() < self.frames_max / 2 && self.bytes + bytes <= self.bytes_max / 2
    }

    fn counts(&self) -> (usize, usize) {
        (self.frames.len(), self.debts.len())
    }

    fn take(&mut self) -> Vec<Bytes> {
        self.bytes = 0;
        self.events_end = 0;
        self.replaceable.clear();
        std::mem::take(&mut self.frames)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn topic(name: &str) -> Topic {
        Topic::new("probe", name).unwrap()
    }

    fn event(mailbox: &Mailbox, name: &str, text: &'static str) {
        mailbox.offer(&topic(name), &Bytes::from(text));
    }

    fn head(mailbox: &Mailbox, name: &str, text: &'static str) {
        mailbox.offer_newest(&topic(name), Debt::Head, Bytes::from(text));
    }

    fn presence(mailbox: &Mailbox, name: &str, text: &'static str) {
        mailbox.offer_newest(&topic(name), Debt::Presence, Bytes::from(text));
    }

    fn taken(mailbox: &Mailbox) -> Vec<Bytes> {
        mailbox.take().frames
    }

    #[test]
    fn an_event_that_does_not_fit_is_owed_as_a_head_and_later_events_wait_for_it() {
        let mailbox = Mailbox::new(2, 1_000);
        for text in ["1", "2", "3"] {
            event(&mailbox, "a", text);
        }
        assert_eq!(taken(&mailbox), ["1", "2"]);
        assert_eq!(mailbox.debts(), [(topic("a"), Debt::Head)]);

        event(&mailbox, "a", "4");
        event(&mailbox, "b", "other");
        assert_eq!(taken(&mailbox), ["other"], "a topic that is behind takes no event before its head");

        head(&mailbox, "a", "head");
        event(&mailbox, "a", "5");
        assert_eq!(taken(&mailbox), ["head", "5"]);
        assert!(mailbox.debts().is_empty());
    }

    #[test]
    fn the_bytes_are_bounded_too() {
        let mailbox = Mailbox::new(100, 10);
        event(&mailbox, "a", "12345678");
        event(&mailbox, "b", "123");
        assert_eq!(taken(&mailbox).len(), 1);
        assert_eq!(mailbox.debts(), [(topic("b"), Debt::Head)]);
    }

    #[test]
    fn answers_are_added_past_the_bounds() {
        let mailbox = Mailbox::new(1, 10);
        mailbox.answer(Bytes::from("one"));
        assert!(!mailbox.can_answer());
        mailbox.answer(Bytes::from("two"));
        assert_eq!(taken(&mailbox), ["one", "two"]);
    }

    #[test]
    fn a_newer_head_replaces_an_older_one_unless_an_event_stands_behind_it() {
        let mailbox = Mailbox::new(100, 1_000);
        head(&mailbox, "a", "head 1");
        head(&mailbox, "a", "head 2");
        event(&mailbox, "a", "3");
        head(&mailbox, "a", "head 9");
        assert_eq!(taken(&mailbox), ["head 2", "3", "head 9"]);
        head(&mailbox, "a", "head 10");
        assert_eq!(taken(&mailbox), ["head 10"], "a frame that was taken is not replaced");
    }

    #[test]
    fn a_topic_has_one_presence_in_the_queue_and_one_that_does_not_fit_is_owed() {
        let mailbox = Mailbox::new(2, 1_000);
        presence(&mailbox, "a", "one");
        event(&mailbox, "a", "1");
        presence(&mailbox, "a", "two");
        presence(&mailbox, "b", "other");
        assert_eq!(mailbox.debts(), [(topic("b"), Debt::Presence)]);
        assert_eq!(taken(&mailbox), ["two", "1"]);
        presence(&mailbox, "b", "other");
        assert!(mailbox.debts().is_empty());
    }

    #[test]
    fn a_head_that_does_not_fit_is_owed_like_one_for_skipped_events() {
        let mailbox = Mailbox::new(1, 1_000);
        mailbox.answer(Bytes::from("answer"));
        head(&mailbox, "a", "head");
        event(&mailbox, "a", "1");
        assert_eq!(taken(&mailbox), ["answer"]);
        assert_eq!(mailbox.debts(), [(topic("a"), Debt::Head)]);
        mailbox.cancel_debts(&topic("a"));
        assert!(mailbox.debts().is_empty());
    }

    #[test]
    fn a_debt_that_still_does_not_fit_wakes_nobody_again() {
        let mailbox = Mailbox::new(4, 10);
        presence(&mailbox, "a", "longer than ten bytes");
        assert!(mailbox.filled().now_or_never().is_some(), "a new debt is news");
        presence(&mailbox, "a", "longer than ten bytes");
        assert!(mailbox.filled().now_or_never().is_none());
    }

    #[test]
    fn frames_that_may_be_lost_leave_half_of_the_queue_to_the_others() {
        let mailbox = Mailbox::new(4, 100);
        (0..9).for_each(|_| mailbox.offer_lossy(&Bytes::from("x")));
        (0..2).for_each(|_| event(&mailbox, "a", "x"));
        assert_eq!(taken(&mailbox).len(), 4);
        assert!(mailbox.debts().is_empty());
    }
}
