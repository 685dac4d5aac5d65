//! `World`: a log, a reader, and everything on its way between them, which a test delivers, loses and doubles.

use proptest::prelude::*;
use shared::{Page, Seq};

use crate::simulated_log::{Item, Reader, SimulatedLog};

/// Small, so that gaps wider than a page and wider than the catch-up happen often.
pub(crate) const PAGE_LIMIT: usize = 7;
const CATCH_UP_MAX: u64 = 20;

/// One thing that happens between a log and a reader. Numbers choose among what is on the way.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
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

pub(crate) fn happening() -> impl Strategy<Value = Happening> {
    let any = 0..64_usize;
    prop_oneof![
        8 => Just(Happening::Publish),
        6 => any.clone().prop_map(Happening::Push),
        1 => any.clone().prop_map(Happening::PushTwice),
        2 => any.clone().prop_map(Happening::LosePush),
        1 => Just(Happening::SayHead),
        1 => any.prop_map(Happening::DeliverHead),
        3 => Just(Happening::TakeSnapshot),
        3 => Just(Happening::DeliverPage),
        1 => Just(Happening::FailPull),
        1 => Just(Happening::Resume),
        1 => Just(Happening::Wait),
        1 => (0..=100_usize).prop_map(Happening::Restore),
    ]
}

/// Everything on its way between one log and one reader.
pub(crate) struct World {
    pub(crate) log: SimulatedLog,
    pub(crate) reader: Reader,
    pushes: Vec<Item>,
    heads: Vec<Seq>,
    snapshot: Option<Page<Item>>,
}

impl World {
    pub(crate) fn new() -> World {
        let log = SimulatedLog::new(PAGE_LIMIT);
        let mut reader = Reader::new(CATCH_UP_MAX);
        // A subscription begins with a head, before any event.
        reader.hears_head(&log.epoch(), log.head());
        World { log, reader, pushes: Vec::new(), heads: Vec::new(), snapshot: None }
    }

    pub(crate) fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Publish => {
                let item = self.log.publish();
                self.pushes.push(item);
            }
            Happening::Push(which) => {
                if let Some(item) = pick(&mut self.pushes, which) {
                    self.reader.hears(item);
                }
            }
            Happening::PushTwice(which) => {
                if let Some(item) = pick(&mut self.pushes, which) {
                    self.reader.hears(item);
                    self.pushes.push(item);
                }
            }
            Happening::LosePush(which) => {
                pick(&mut self.pushes, which);
            }
            Happening::SayHead => self.heads.push(self.log.head()),
            Happening::DeliverHead(which) => {
                if let Some(seq) = pick(&mut self.heads, which) {
                    self.reader.hears_head(&self.log.epoch(), seq);
                }
            }
            Happening::TakeSnapshot => {
                self.snapshot = self.reader.asked.as_ref().map(|pull| self.log.page(pull));
            }
            Happening::DeliverPage => {
                if let Some(page) = self.snapshot.take() {
                    self.reader.answer(page);
                }
            }
            Happening::FailPull => {
                if self.reader.asked.is_some() {
                    self.snapshot = None;
                    self.reader.lose_pull();
                }
            }
            Happening::Resume => self.reader.resume(),
            Happening::Wait => self.reader.waits(),
            Happening::Restore(percent) => self.restore(percent),
        }
    }

    /// The node starts again on a backup. What slow connections carry, and a page that was read before, may still
    /// arrive. The new connection begins with a head.
    fn restore(&mut self, percent: usize) {
        self.log.restore(percent);
        self.heads.clear();
        self.reader.hears_head(&self.log.epoch(), self.log.head());
    }

    /// The last head arrives, and every pull is answered from now on.
    pub(crate) fn settles(&mut self) {
        self.reader.hears_head(&self.log.epoch(), self.log.head());
        if let Some(page) = self.snapshot.take() {
            self.reader.answer(page);
        }
        self.reader.resume();
        self.reader.answer_all(&self.log);
    }
}

fn pick<T>(on_the_way: &mut Vec<T>, which: usize) -> Option<T> {
    (!on_the_way.is_empty()).then(|| on_the_way.swap_remove(which % on_the_way.len()))
}
