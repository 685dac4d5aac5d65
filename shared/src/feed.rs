//! `Feed`: gives one reader the events of one topic in order, each once, whatever is lost, late or doubled on the way.
//!
//! The log is the truth; a push is only a hint that is usually right. An event that follows the cursor is applied; an
//! early one is set aside while a pull fills the gap. The browser reads a topic with a `Feed`, and so does the hub of
//! every node. It has no clock and no network: each input returns a [`Step`] to carry out.
//!
//! # A worked trace
//!
//! A browser opens a topic whose log has the epoch `e1` and the head 5. Its subscription answers with a `head` frame, a
//! push is lost, and later the log is restored from a backup. The columns are the fields of [`Feed`]; `-` is empty.
//!
//! | Input | position | set_aside | heard | in_flight | Step |
//! |---|---|---|---|---|---|
//! | `resume()` | - | - | - | at 0 | pull the newest page |
//! | `on_head(e1, 5)` | - | - | seq 5, epoch e1 | at 0 | nothing: a pull is under way |
//! | `on_page(e1, head 5, 1 to 5)` | e1:5 | - | seq 5, epoch e1 | - | start over, apply 1 to 5 |
//! | `on_event(e1, 6)` | e1:6 | - | seq 5, epoch e1 | - | apply 6 |
//! | `on_event(e1, 8)`: 7 was lost | e1:6 | 8 | - | heard 8 in e1, at 6 | pull after e1:6, heard 8 |
//! | `on_event(e1, 9)` | e1:6 | 8, 9 | seq 9 | heard 8 in e1, at 6 | nothing: a pull is under way |
//! | `on_page(e1, head 8, 7 to 8)` | e1:9 | - | seq 9 | - | apply 7, 8, 9 |
//! | `on_head(e2, 4)`: restored | - | - | - | heard 4 in e2, at 0 | pull the newest page, heard 4 |
//! | `on_page(e2, head 4, 1 to 4)` | e2:4 | - | - | - | start over, apply 1 to 4 |

use std::collections::BTreeMap;

use crate::{Admission, Cursor, Epoch, Position, Seq};

/// Early events that are kept. Past it the oldest is dropped, and the next pull brings it.
const SET_ASIDE_MAX: usize = 256;

/// One reader of one topic. `T` is an event, or an event with its encoded frame. The module has a worked trace.
#[derive(Debug, Clone)]
pub struct Feed<T> {
    /// The last event that was applied, and the epoch in which its seq counts; `None` before the first page.
    position: Option<(Epoch, Cursor)>,
    /// Events that came before the ones that they follow.
    set_aside: BTreeMap<Seq, T>,
    /// Everything that the reader was told since the last pull began.
    heard: Known,
    /// The pull under way. There is never more than one.
    in_flight: Option<InFlight>,
    /// Events up to which the reader catches up; further behind, it starts over from the newest page.
    catch_up_max: u64,
}

/// Knowledge about the log that did not come from a page. A pull takes it along, so that its answer settles it.
#[derive(Debug, Clone, Default)]
struct Known {
    /// The newest seq that the reader was told of.
    seq: Seq,
    /// The epoch that the reader was told of, if it may differ from the one of its position.
    epoch: Option<Epoch>,
    /// True if two sources contradict each other, and only the log can tell which is right.
    doubt: bool,
}

/// A pull under way.
#[derive(Debug, Clone, Default)]
struct InFlight {
    /// The knowledge that the pull took along. It comes back if the pull fails.
    known: Known,
    /// The cursor when the pull began. An answer whose head is below it comes from a log that was restored; one whose head
    /// is only below the present cursor was read before the latest pushes.
    at: Seq,
}

/// One answer of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The epoch of the log.
    pub epoch: Epoch,
    /// The newest seq of the topic in that snapshot.
    pub head: Seq,
    /// The events, ascending and without holes.
    pub items: Vec<(Seq, T)>,
}

/// A read of the log that a feed asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// The events after this position; without one, the newest.
    pub after: Option<Position>,
    /// The newest seq that the reader was told of. An answer from memory that knows less is of no use.
    pub heard: Seq,
}

/// The consequences of an input, to be carried out in this order: forget, apply, pull.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a step that is not taken is an event lost"]
pub struct Step<T> {
    /// True if all events that were applied before are void.
    pub start_over: bool,
    /// The events to apply, in order.
    pub apply: Vec<T>,
    /// The read of the log to begin. Its answer goes to [`Feed::on_page`] or [`Feed::on_pull_failed`].
    pub pull: Option<Pull>,
}

impl<T> Default for Step<T> {
    fn default() -> Step<T> {
        Step { start_over: false, apply: Vec::new(), pull: None }
    }
}

impl<T> Feed<T> {
    /// Creates a reader that has read nothing. More than `catch_up_max` events behind, it starts over from the newest page.
    pub fn new(catch_up_max: u64) -> Feed<T> {
        Feed {
            position: None,
            set_aside: BTreeMap::new(),
            heard: Known::default(),
            in_flight: None,
            catch_up_max,
        }
    }

    /// Returns the last event that was applied; `None` before the first page.
    pub fn position(&self) -> Option<Position> {
        self.position.as_ref().map(|(epoch, cursor)| Position { epoch: epoch.clone(), seq: cursor.seq() })
    }

    /// True if everything that the reader was told of is applied; false before the first page.
    pub fn is_current(&self) -> bool {
        let Some((_, cursor)) = &self.position else { return false };
        let is_settled = |known: &Known| known.seq <= cursor.seq() && !known.doubt;
        is_settled(&self.heard) && self.in_flight.as_ref().is_none_or(|pull| is_settled(&pull.known))
    }

    /// Pulls if something is missing and no pull is under way: the first page, or what was heard of when a pull failed.
    pub fn resume(&mut self) -> Step<T> {
        let is_behind = match &self.position {
            None => true,
            Some((_, cursor)) => self.heard.seq > cursor.seq() || self.heard.doubt,
        };
        Step { pull: is_behind.then(|| self.pull(Seq::ZERO)).flatten(), ..Step::default() }
    }

    /// Pulls the events to come, although nothing is missing: for a reader without pushes, whose pull waits at the node.
    pub fn wait(&mut self) -> Step<T> {
        Step { pull: self.pull(Seq::ZERO), ..Step::default() }
    }

    /// Takes in a head from a source that may be older than the reader, such as a `head` frame or a beat.
    pub fn on_head(&mut self, epoch: &Epoch, seq: Seq) -> Step<T> {
        if self.epoch().is_some_and(|known| known != epoch) {
            self.forget();
        }
        if self.epoch().is_none() {
            self.heard.epoch = Some(epoch.clone());
        }
        self.heard.seq = self.heard.seq.max(seq);
        self.heard.doubt |= seq < self.cursor().seq();
        self.resume()
    }

    /// Takes in a pushed event. `epoch` is the one of the last `head` on its connection: a slow connection may still carry
    /// events of an earlier one.
    pub fn on_event(&mut self, epoch: &Epoch, seq: Seq, item: T) -> Step<T> {
        match self.epoch() {
            Some(known) if known != epoch => {
                // One of the two is old, and the log knows which.
                self.heard.doubt = true;
                return self.resume();
            }
            Some(_) => {}
            None => self.heard.epoch = Some(epoch.clone()),
        }
        match self.admit(seq) {
            Admission::Seen => Step::default(),
            Admission::Next => {
                let mut apply = vec![item];
                self.apply_set_aside(&mut apply);
                Step { apply, ..Step::default() }
            }
            Admission::Gap => {
                self.heard.seq = self.heard.seq.max(seq);
                self.set_aside.insert(seq, item);
                if self.set_aside.len() > SET_ASIDE_MAX {
                    self.set_aside.pop_first();
                }
                self.resume()
            }
        }
    }

    /// Takes in the answer to the pull under way.
    pub fn on_page(&mut self, page: Page<T>) -> Step<T> {
        let is_known_epoch = self.epoch().is_none_or(|known| *known == page.epoch);
        let cursor_before = self.in_flight.take().map_or(Seq::ZERO, |pull| pull.at);
        if self.heard.epoch.as_ref().is_some_and(|heard| *heard != page.epoch) {
            // The reader heard of another epoch while the page was under way, so the page is older.
            return Step { pull: self.pull(Seq::ZERO), ..Step::default() };
        }
        let is_same_log = is_known_epoch && page.head >= cursor_before;
        if !is_same_log {
            self.forget();
        }
        let start_over = !self.reaches(&page);
        if start_over {
            let before = page.items.first().map_or(page.head, |(first, _)| first.before());
            self.position = Some((page.epoch.clone(), Cursor::at(before)));
        }
        let mut apply = Vec::with_capacity(page.items.len());
        for (seq, item) in page.items {
            if self.admit(seq) == Admission::Next {
                apply.push(item);
            }
        }
        self.apply_set_aside(&mut apply);
        let is_behind = self.heard.doubt || self.heard.seq.max(page.head) > self.cursor().seq();
        Step { start_over, apply, pull: is_behind.then(|| self.pull(page.head)).flatten() }
    }

    /// Notes that the pull under way failed. Its events are still missing: [`Feed::resume`] pulls them.
    pub fn on_pull_failed(&mut self) {
        if let Some(InFlight { known, .. }) = self.in_flight.take() {
            self.heard.seq = self.heard.seq.max(known.seq);
            self.heard.doubt |= known.doubt;
            self.heard.epoch = self.heard.epoch.take().or(known.epoch);
        }
    }

    /// True if the page continues from the cursor, without a hole.
    fn reaches(&self, page: &Page<T>) -> bool {
        let begins_after = page.items.first().map_or(page.head, |(first, _)| first.before());
        self.position.as_ref().is_some_and(|(_, cursor)| begins_after <= cursor.seq())
    }

    /// Begins a pull, unless one is under way. `head` is the log's own, if a page has just told it.
    fn pull(&mut self, head: Seq) -> Option<Pull> {
        if self.in_flight.is_some() {
            return None;
        }
        let mut known = std::mem::take(&mut self.heard);
        // Kept in case this pull fails.
        known.seq = known.seq.max(head);
        let target = known.seq;
        self.in_flight = Some(InFlight { known, at: self.cursor().seq() });
        let after = self.position().filter(|at| target.since(at.seq) <= self.catch_up_max);
        Some(Pull { after, heard: target })
    }

    fn forget(&mut self) {
        self.position = None;
        self.set_aside.clear();
        self.heard = Known::default();
        // The pull under way began in another epoch: its answer counts, the cursor at which it began does not.
        self.in_flight = self.in_flight.take().map(|_| InFlight::default());
    }

    /// The epoch that the reader believes in: the newest source wins.
    fn epoch(&self) -> Option<&Epoch> {
        let applied = self.position.as_ref().map(|(epoch, _)| epoch);
        let pulled = self.in_flight.as_ref().and_then(|pull| pull.known.epoch.as_ref());
        self.heard.epoch.as_ref().or(applied).or(pulled)
    }

    fn cursor(&self) -> Cursor {
        self.position.as_ref().map_or(Cursor::default(), |(_, cursor)| *cursor)
    }

    fn admit(&mut self, seq: Seq) -> Admission {
        self.position.as_mut().map_or(Admission::Gap, |(_, cursor)| cursor.admit(seq))
    }

    /// Applies the events that were set aside and follow the cursor by now.
    fn apply_set_aside(&mut self, apply: &mut Vec<T>) {
        while let Some(entry) = self.set_aside.first_entry() {
            let seq = *entry.key();
            match self.position.as_mut().map_or(Admission::Gap, |(_, cursor)| cursor.admit(seq)) {
                Admission::Next => apply.push(entry.remove()),
                Admission::Seen => drop(entry.remove()),
                Admission::Gap => return,
            }
        }
    }
}
