//! `Feed`: the events of one topic at one reader, in order, each once, whatever is lost, late or doubled on the way.
//!
//! The log is the truth; a push is only a hint that is usually right. What fits the cursor is applied, what does
//! not is set aside while a pull fills the gap. The browser reads a topic with a `Feed`, and so does the hub of
//! every node. It knows no clock and no network: each input returns a [`Step`] that says what to do.

use std::collections::BTreeMap;

use crate::{Admission, Cursor, Epoch, Position, Seq};

/// How many early arrivals are kept. Beyond it the oldest go, and the next pull brings them.
const SET_ASIDE_MAX: usize = 256;

/// A reader's end of one topic. `T` is what it reads: an event, or an event with its encoded frame.
#[derive(Debug, Clone)]
pub struct Feed<T> {
    position: Option<(Epoch, Cursor)>,
    set_aside: BTreeMap<Seq, T>,
    heard: Heard,
    in_flight: Option<Asked>,
    catch_up_max: u64,
}

/// What the reader was told of since it last asked. A pull answers all of it, so each pull consumes it.
#[derive(Debug, Clone, Default)]
struct Heard {
    seq: Seq,
    epoch: Option<Epoch>,
    doubt: bool,
}

/// A pull on its way.
#[derive(Debug, Clone, Default)]
struct Asked {
    heard: Heard,
    /// Where the reader was. A log that answers with less has been restored; one that answers with less than the
    /// reader has by then was only read before the latest pushes.
    at: Seq,
}

/// One answer of the log, for a reader.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The log's life.
    pub epoch: Epoch,
    /// The newest seq of the topic in that snapshot.
    pub head: Seq,
    /// Ascending, without holes.
    pub items: Vec<(Seq, T)>,
}

/// What to ask the log for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// The events after this position; without one, the newest.
    pub after: Option<Position>,
    /// The newest seq that the reader was told of: an answer from memory that knows less would be of no use.
    pub heard: Seq,
}

/// What an input means for the reader, to be done in this order: forget, apply, pull.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a step that is not taken is an event lost"]
pub struct Step<T> {
    /// Forget all that was applied so far: what follows starts over.
    pub start_over: bool,
    /// The events to apply, in order.
    pub apply: Vec<T>,
    /// Answer it with [`Feed::on_page`] or [`Feed::on_pull_failed`]; there is never more than one at a time.
    pub pull: Option<Pull>,
}

impl<T> Default for Step<T> {
    fn default() -> Step<T> {
        Step { start_over: false, apply: Vec::new(), pull: None }
    }
}

impl<T> Feed<T> {
    /// A reader that has read nothing. More than `catch_up_max` events behind, it starts over from the newest page.
    pub fn new(catch_up_max: u64) -> Feed<T> {
        let (heard, in_flight) = (Heard::default(), None);
        Feed { position: None, set_aside: BTreeMap::new(), heard, in_flight, catch_up_max }
    }

    /// Where the reader is; nothing before the first page.
    pub fn position(&self) -> Option<Position> {
        self.position.as_ref().map(|(epoch, cursor)| Position { epoch: epoch.clone(), seq: cursor.seq() })
    }

    /// True if everything that the reader was told of is applied; false before the first page.
    pub fn is_current(&self) -> bool {
        let Some((_, cursor)) = &self.position else { return false };
        let asked = self.in_flight.as_ref().map(|asked| &asked.heard);
        let mut heard = [Some(&self.heard), asked].into_iter().flatten();
        heard.all(|heard| heard.seq <= cursor.seq() && !heard.doubt)
    }

    /// Asks for what is owed and not on its way: the first page, or what was heard of when a pull failed.
    pub fn resume(&mut self) -> Step<T> {
        let owed = match &self.position {
            None => true,
            Some((_, cursor)) => self.heard.seq > cursor.seq() || self.heard.doubt,
        };
        Step { pull: owed.then(|| self.ask(Seq::ZERO)).flatten(), ..Step::default() }
    }

    /// Asks for what comes next, though nothing is owed: for a reader without any push, whose pull waits at the
    /// node. Nothing while a pull is on its way.
    pub fn wait(&mut self) -> Step<T> {
        Step { pull: self.ask(Seq::ZERO), ..Step::default() }
    }

    /// The newest seq, as somebody who should know says it.
    pub fn on_head(&mut self, epoch: &Epoch, seq: Seq) -> Step<T> {
        if self.life().is_some_and(|life| life != epoch) {
            self.forget();
        }
        if self.life().is_none() {
            self.heard.epoch = Some(epoch.clone());
        }
        self.heard.seq = self.heard.seq.max(seq);
        self.heard.doubt |= seq < self.cursor().seq();
        self.resume()
    }

    /// A pushed event, of the life that its connection's last head named: a slow connection may still carry what was
    /// pushed in an earlier one.
    pub fn on_event(&mut self, epoch: &Epoch, seq: Seq, item: T) -> Step<T> {
        match self.life() {
            Some(life) if life != epoch => {
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
                self.take_set_aside(&mut apply);
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

    /// The answer to a pull.
    pub fn on_page(&mut self, page: Page<T>) -> Step<T> {
        let known_life = self.life().is_none_or(|life| *life == page.epoch);
        let asked_at = self.in_flight.take().map_or(Seq::ZERO, |asked| asked.at);
        if self.heard.epoch.as_ref().is_some_and(|heard| *heard != page.epoch) {
            // The page is older than what was heard while it was on its way.
            return Step { pull: self.ask(Seq::ZERO), ..Step::default() };
        }
        let same_log = known_life && page.head >= asked_at;
        if !same_log {
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
        self.take_set_aside(&mut apply);
        let owed = self.heard.doubt || self.heard.seq.max(page.head) > self.cursor().seq();
        Step { start_over, apply, pull: owed.then(|| self.ask(page.head)).flatten() }
    }

    /// The pull came to nothing. What it was asked for is still owed: see [`Feed::resume`].
    pub fn on_pull_failed(&mut self) {
        if let Some(Asked { heard: asked, .. }) = self.in_flight.take() {
            self.heard.seq = self.heard.seq.max(asked.seq);
            self.heard.doubt |= asked.doubt;
            self.heard.epoch = self.heard.epoch.take().or(asked.epoch);
        }
    }

    /// Whether the page goes on from the cursor, with no event in between.
    fn reaches(&self, page: &Page<T>) -> bool {
        let begins_after = page.items.first().map_or(page.head, |(first, _)| first.before());
        self.position.as_ref().is_some_and(|(_, cursor)| begins_after <= cursor.seq())
    }

    /// The one place where a pull begins. `head` is the log's own, where a page has just told it.
    fn ask(&mut self, head: Seq) -> Option<Pull> {
        if self.in_flight.is_some() {
            return None;
        }
        let mut heard = std::mem::take(&mut self.heard);
        // Owed as well, should this pull come to nothing.
        heard.seq = heard.seq.max(head);
        let target = heard.seq;
        self.in_flight = Some(Asked { heard, at: self.cursor().seq() });
        let after = self.position().filter(|at| target.since(at.seq) <= self.catch_up_max);
        Some(Pull { after, heard: target })
    }

    fn forget(&mut self) {
        self.position = None;
        self.set_aside.clear();
        self.heard = Heard::default();
        // What is on its way was asked in another life: its answer counts, the question does not.
        self.in_flight = self.in_flight.take().map(|_| Asked::default());
    }

    /// The life of the log that the reader believes in.
    fn life(&self) -> Option<&Epoch> {
        let read = self.position.as_ref().map(|(epoch, _)| epoch);
        let asked = self.in_flight.as_ref().and_then(|asked| asked.heard.epoch.as_ref());
        self.heard.epoch.as_ref().or(read).or(asked)
    }

    fn cursor(&self) -> Cursor {
        self.position.as_ref().map_or(Cursor::default(), |(_, cursor)| *cursor)
    }

    fn admit(&mut self, seq: Seq) -> Admission {
        self.position.as_mut().map_or(Admission::Gap, |(_, cursor)| cursor.admit(seq))
    }

    /// Moves over whatever was set aside and fits by now.
    fn take_set_aside(&mut self, apply: &mut Vec<T>) {
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
