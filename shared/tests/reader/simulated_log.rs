//! `SimulatedLog`: the log of one topic, and a reader whose pushes, heads and pulls a test delivers by hand.
//!
//! An item is its own address (epoch, seq), so that a test notices a reader that applies the wrong one.

use shared::{Epoch, Feed, Page, Position, Pull, Seq, Step};

/// A published item: its epoch and its seq.
pub(crate) type Item = (u32, u64);

/// The log of a topic.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedLog {
    pub(crate) epoch_number: u32,
    pub(crate) events: Vec<Item>,
    pub(crate) page_limit: usize,
}

impl SimulatedLog {
    pub(crate) fn new(page_limit: usize) -> SimulatedLog {
        SimulatedLog { epoch_number: 1, events: Vec::new(), page_limit }
    }

    pub(crate) fn publish(&mut self) -> Item {
        let item = (self.epoch_number, self.events.len() as u64 + 1);
        self.events.push(item);
        item
    }

    pub(crate) fn publish_many(&mut self, count: u64) {
        (0..count).for_each(|_| _ = self.publish());
    }

    /// Replaces the log with a backup that holds `percent` of the events, and begins a new epoch.
    pub(crate) fn restore(&mut self, percent: usize) {
        self.epoch_number += 1;
        self.events.truncate(self.events.len() * percent / 100);
    }

    pub(crate) fn epoch(&self) -> Epoch {
        epoch_of(self.epoch_number)
    }

    pub(crate) fn head(&self) -> Seq {
        Seq(self.events.len() as u64)
    }

    /// Answers a pull as a node does: a void position gets the newest page.
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

fn epoch_of(epoch: u32) -> Epoch {
    Epoch::try_from(format!("epoch{epoch}")).unwrap()
}

/// A reader, with its pull in flight.
pub(crate) struct FeedReader {
    pub(crate) feed: Feed<Item>,
    pub(crate) applied: Vec<Item>,
    pub(crate) pull_in_flight: Option<Pull>,
    pub(crate) pulls: usize,
    pub(crate) started_over: usize,
}

impl FeedReader {
    /// Creates a reader that has just pulled its first page.
    pub(crate) fn new(catch_up_max: u64) -> FeedReader {
        let feed = Feed::new(catch_up_max);
        let mut reader =
            FeedReader { feed, applied: Vec::new(), pull_in_flight: None, pulls: 0, started_over: 0 };
        let first = reader.feed.resume();
        reader.take(first);
        reader
    }

    /// Creates a reader that has read all of `log`.
    pub(crate) fn caught_up_with(log: &SimulatedLog, catch_up_max: u64) -> FeedReader {
        let mut reader = FeedReader::new(catch_up_max);
        reader.answer_all(log);
        reader.pulls = 0;
        reader
    }

    pub(crate) fn on_event(&mut self, item: Item) {
        let step = self.feed.on_event(&epoch_of(item.0), Seq(item.1), item);
        self.take(step);
    }

    pub(crate) fn on_head(&mut self, epoch: &Epoch, seq: Seq) {
        let step = self.feed.on_head(epoch, seq);
        self.take(step);
    }

    /// Answers the pull in flight with `page`.
    pub(crate) fn answer(&mut self, page: Page<Item>) {
        self.pull_in_flight.take().expect("a page answers a pull");
        let step = self.feed.on_page(page);
        self.take(step);
    }

    /// Loses the pull in flight. A retry needs [`FeedReader::resume`].
    pub(crate) fn lose_pull(&mut self) {
        self.pull_in_flight.take().expect("a pull was in flight");
        self.feed.on_pull_failed();
    }

    pub(crate) fn resume(&mut self) {
        let step = self.feed.resume();
        self.take(step);
    }

    pub(crate) fn wait(&mut self) {
        let step = self.feed.wait();
        self.take(step);
    }

    /// Answers pulls until none is in flight. Fails the test if that does not end.
    pub(crate) fn answer_all(&mut self, log: &SimulatedLog) {
        for _ in 0..10_000 {
            let Some(pull) = &self.pull_in_flight else { return };
            self.answer(log.page(pull));
        }
        panic!("the reader never stops pulling");
    }

    fn take(&mut self, step: Step<Item>) {
        if step.start_over {
            self.applied.clear();
            self.started_over += 1;
        }
        self.applied.extend(step.apply);
        if let Some(pull) = step.pull {
            assert_eq!(self.pull_in_flight, None, "two pulls in flight");
            self.pull_in_flight = Some(pull);
            self.pulls += 1;
        }
    }
}
