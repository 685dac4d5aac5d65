//! `FeedSimulation`: a log, a reader, and the messages in transit between them, which a test delivers, loses and
//! duplicates.

use proptest::prelude::*;
use shared::{Page, Seq};

use crate::simulated_log::{FeedReader, Item, SimulatedLog};

/// Small, so that gaps wider than a page and gaps too wide to catch up on happen often.
pub(crate) const PAGE_LIMIT: usize = 7;
const CATCH_UP_MAX: u64 = 20;

/// An action of the log, the network or the reader. Numbers select one of the messages in transit.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Publish,
    Push(usize),
    PushTwice(usize),
    LosePush(usize),
    SayHead,
    DeliverHead(usize),
    TakeSnapshot,
    DeliverPage,
    FailPull,
    Resume,
    Wait,
    Restore(usize),
}

pub(crate) fn action() -> impl Strategy<Value = Action> {
    let any = 0..64_usize;
    prop_oneof![
        8 => Just(Action::Publish),
        6 => any.clone().prop_map(Action::Push),
        1 => any.clone().prop_map(Action::PushTwice),
        2 => any.clone().prop_map(Action::LosePush),
        1 => Just(Action::SayHead),
        1 => any.prop_map(Action::DeliverHead),
        3 => Just(Action::TakeSnapshot),
        3 => Just(Action::DeliverPage),
        1 => Just(Action::FailPull),
        1 => Just(Action::Resume),
        1 => Just(Action::Wait),
        1 => (0..=100_usize).prop_map(Action::Restore),
    ]
}

/// One log, one reader, and the messages in transit.
pub(crate) struct FeedSimulation {
    pub(crate) log: SimulatedLog,
    pub(crate) reader: FeedReader,
    pushes: Vec<Item>,
    heads: Vec<Seq>,
    snapshot: Option<Page<Item>>,
}

impl FeedSimulation {
    pub(crate) fn new() -> FeedSimulation {
        let log = SimulatedLog::new(PAGE_LIMIT);
        let mut reader = FeedReader::new(CATCH_UP_MAX);
        // A subscription begins with a head.
        reader.on_head(&log.epoch(), log.head());
        FeedSimulation { log, reader, pushes: Vec::new(), heads: Vec::new(), snapshot: None }
    }

    pub(crate) fn apply(&mut self, action: Action) {
        match action {
            Action::Publish => {
                let item = self.log.publish();
                self.pushes.push(item);
            }
            Action::Push(which) => {
                if let Some(item) = pick(&mut self.pushes, which) {
                    self.reader.on_event(item);
                }
            }
            Action::PushTwice(which) => {
                if let Some(item) = pick(&mut self.pushes, which) {
                    self.reader.on_event(item);
                    self.pushes.push(item);
                }
            }
            Action::LosePush(which) => {
                pick(&mut self.pushes, which);
            }
            Action::SayHead => self.heads.push(self.log.head()),
            Action::DeliverHead(which) => {
                if let Some(seq) = pick(&mut self.heads, which) {
                    self.reader.on_head(&self.log.epoch(), seq);
                }
            }
            Action::TakeSnapshot => {
                self.snapshot = self.reader.pull_in_flight.as_ref().map(|pull| self.log.page(pull));
            }
            Action::DeliverPage => {
                if let Some(page) = self.snapshot.take() {
                    self.reader.answer(page);
                }
            }
            Action::FailPull => {
                if self.reader.pull_in_flight.is_some() {
                    self.snapshot = None;
                    self.reader.lose_pull();
                }
            }
            Action::Resume => self.reader.resume(),
            Action::Wait => self.reader.wait(),
            Action::Restore(percent) => self.restore(percent),
        }
    }

    /// Restarts the node on a backup. Events in transit and a page that was read before may still arrive. The new
    /// connection begins with a head.
    fn restore(&mut self, percent: usize) {
        self.log.restore(percent);
        self.heads.clear();
        self.reader.on_head(&self.log.epoch(), self.log.head());
    }

    /// Delivers the last head, and answers every pull.
    pub(crate) fn settle(&mut self) {
        self.reader.on_head(&self.log.epoch(), self.log.head());
        if let Some(page) = self.snapshot.take() {
            self.reader.answer(page);
        }
        self.reader.resume();
        self.reader.answer_all(&self.log);
    }
}

fn pick<T>(in_transit: &mut Vec<T>, which: usize) -> Option<T> {
    (!in_transit.is_empty()).then(|| in_transit.swap_remove(which % in_transit.len()))
}
