//! `SimulatedLog`: a topic's log in a few lines, and a reader whose pushes, heads and pulls a test delivers by hand.
//!
//! An item is its own address (life of the log, seq), so that a reader which applies the wrong one is found out.

use shared::{Epoch, Feed, Page, Position, Pull, Seq, Step};

/// What is published: in which life of the log, and where.
pub(crate) type Item = (u32, u64);

/// A topic's log: its life, and its events.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedLog {
    pub(crate) life: u32,
    pub(crate) events: Vec<Item>,
    pub(crate) page_limit: usize,
}

impl SimulatedLog {
    pub(crate) fn new(page_limit: usize) -> SimulatedLog {
        SimulatedLog { life: 1, events: Vec::new(), page_limit }
    }

    pub(crate) fn publish(&mut self) -> Item {
        let item = (self.life, self.events.len() as u64 + 1);
        self.events.push(item);
        item
    }

    pub(crate) fn publish_many(&mut self, count: u64) {
        (0..count).for_each(|_| _ = self.publish());
    }

    /// A backup that holds `percent` of the events takes the log's place, as a new life of it.
    pub(crate) fn restore(&mut self, percent: usize) {
        self.life += 1;
        self.events.truncate(self.events.len() * percent / 100);
    }

    pub(crate) fn epoch(&self) -> Epoch {
        epoch_of(self.life)
    }

    pub(crate) fn head(&self) -> Seq {
        Seq(self.events.len() as u64)
    }

    /// Answers as a node does: a position that is void gets the newest page.
    pub(crate) fn page(&self, pull: &Pull) -> Page<Item> {
        let from = match &pull.after {
            Some(at) if self.knows(at) => at.seq.0 as usize,
            _ => self.events.len().saturating_sub(self.page_limit),
        };
        let until = self.events.len().min(from + self.page_limit);
        let items = (from..until).map(|index| (Seq(index as u64 + 1), self.events[index])).collect();
        Page { epoch: self.epoch(), head: self.head(), items }
    }

    fn knows(&self, at: &Position) -> bool {
        at.epoch == self.epoch() && at.seq <= self.head()
    }
}

fn epoch_of(life: u32) -> Epoch {
    Epoch::try_from(format!("life{life}")).unwrap()
}

/// A reader, and what was asked in its name.
pub(crate) struct Reader {
    pub(crate) feed: Feed<Item>,
    pub(crate) applied: Vec<Item>,
    pub(crate) asked: Option<Pull>,
    pub(crate) pulls: usize,
    pub(crate) started_over: usize,
}

impl Reader {
    /// A reader that has just asked for its first page.
    pub(crate) fn new(catch_up_max: u64) -> Reader {
        let feed = Feed::new(catch_up_max);
        let mut reader = Reader { feed, applied: Vec::new(), asked: None, pulls: 0, started_over: 0 };
        let first = reader.feed.resume();
        reader.take(first);
        reader
    }

    /// A reader that has read all of `log`.
    pub(crate) fn caught_up_with(log: &SimulatedLog, catch_up_max: u64) -> Reader {
        let mut reader = Reader::new(catch_up_max);
        reader.answer_all(log);
        reader.pulls = 0;
        reader
    }

    pub(crate) fn hears(&mut self, item: Item) {
        let step = self.feed.on_event(&epoch_of(item.0), Seq(item.1), item);
        self.take(step);
    }

    pub(crate) fn hears_head(&mut self, epoch: &Epoch, seq: Seq) {
        let step = self.feed.on_head(epoch, seq);
        self.take(step);
    }

    /// The pull in flight is answered with `page`.
    pub(crate) fn answer(&mut self, page: Page<Item>) {
        self.asked.take().expect("a page answers a pull");
        let step = self.feed.on_page(page);
        self.take(step);
    }

    /// The pull in flight is lost, and the driver tries again later.
    pub(crate) fn lose_pull(&mut self) {
        self.asked.take().expect("a pull was in flight");
        self.feed.on_pull_failed();
    }

    pub(crate) fn resume(&mut self) {
        let step = self.feed.resume();
        self.take(step);
    }

    pub(crate) fn waits(&mut self) {
        let step = self.feed.wait();
        self.take(step);
    }

    /// Answers pulls until none is in flight. Fails when that does not end.
    pub(crate) fn answer_all(&mut self, log: &SimulatedLog) {
        for _ in 0..10_000 {
            let Some(pull) = &self.asked else { return };
            self.answer(log.page(pull));
        }
        panic!("the reader never stops asking");
    }

    fn take(&mut self, step: Step<Item>) {
        if step.start_over {
            self.applied.clear();
            self.started_over += 1;
        }
        self.applied.extend(step.apply);
        if let Some(pull) = step.pull {
            assert_eq!(self.asked, None, "two pulls in flight");
            self.asked = Some(pull);
            self.pulls += 1;
        }
    }
}
