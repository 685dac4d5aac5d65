//! `Feed`: whatever is lost, late or doubled on the way, every event is applied once and in order.

use std::rc::Rc;

use proptest::prelude::*;
use shared::{Feed, Page, Position, Pull, Seq};

use crate::simulated_log::{Item, Reader, SimulatedLog};

const PAGE_LIMIT: usize = 7;
const CATCH_UP_MAX: u64 = 20;

/// One thing that happens between a log and a reader. Numbers choose among what is on the way.
#[derive(Debug, Clone)]
enum Happening {
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
    Restore(usize),
}

fn happening() -> impl Strategy<Value = Happening> {
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
        1 => (0..=100_usize).prop_map(Happening::Restore),
    ]
}

/// Everything on its way between one log and one reader.
struct World {
    log: SimulatedLog,
    reader: Reader,
    pushes: Vec<Item>,
    heads: Vec<Seq>,
    snapshot: Option<Page<Item>>,
}

impl World {
    fn new() -> World {
        let log = SimulatedLog::new(PAGE_LIMIT);
        let reader = Reader::new(CATCH_UP_MAX);
        World { log, reader, pushes: Vec::new(), heads: Vec::new(), snapshot: None }
    }

    fn happens(&mut self, happening: Happening) {
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
            Happening::Restore(percent) => self.restore(percent),
        }
    }

    /// The node starts again on a backup: connections end, and with them what they carried. A page that was
    /// read before may still arrive. The new connection begins with a head.
    fn restore(&mut self, percent: usize) {
        self.log.restore(percent);
        self.pushes.clear();
        self.heads.clear();
        self.reader.hears_head(&self.log.epoch(), self.log.head());
    }

    /// The last head arrives, and every pull is answered from now on.
    fn settles(&mut self) {
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

proptest! {
    #![proptest_config(crate::proptest_config())]

    #[test]
    fn every_event_is_applied_once_and_in_order_whatever_happens(
        happenings in proptest::collection::vec(happening(), 0..200)
    ) {
        let mut world = World::new();
        for happening in happenings {
            world.happens(happening);
            let applied = &world.reader.applied;
            prop_assert!(applied.windows(2).all(|two| two[0].1 + 1 == two[1].1), "out of order: {applied:?}");
        }
        world.settles();

        let (log, reader) = (&world.log, &world.reader);
        let missing = log.events.len() - reader.applied.len().min(log.events.len());
        prop_assert_eq!(&reader.applied[..], &log.events[missing..], "what was read is not the end of the log");
        prop_assert_eq!(
            reader.feed.position(),
            Some(Position { epoch: log.epoch(), seq: log.head() })
        );
        prop_assert!(missing == 0 || reader.applied.len() >= PAGE_LIMIT, "less than one page was read");
    }

    #[test]
    fn without_a_wide_gap_or_a_new_life_nothing_is_ever_forgotten(
        happenings in proptest::collection::vec(happening(), 0..200)
    ) {
        let mut world = World::new();
        world.reader = Reader::caught_up_with(&world.log, u64::MAX);
        for happening in happenings {
            if !matches!(happening, Happening::Restore(_)) {
                world.happens(happening);
            }
        }
        world.settles();

        prop_assert_eq!(world.reader.started_over, 1, "only the first page starts over");
        prop_assert_eq!(&world.reader.applied, &world.log.events);
    }

    #[test]
    fn one_lost_push_costs_one_pull_however_many_follow(
        lost in 0..50_usize, events in 51..250_usize, answered_after in 51..250_usize
    ) {
        let mut log = SimulatedLog::new(500);
        let mut reader = Reader::caught_up_with(&log, 500);
        for index in 0..events {
            let item = log.publish();
            if index != lost {
                reader.hears(item);
            }
            if index == answered_after {
                reader.answer_all(&log);
            }
        }
        reader.answer_all(&log);

        prop_assert_eq!(reader.pulls, 1);
        prop_assert_eq!(&reader.applied, &log.events);
    }

    #[test]
    fn pages_and_pushes_that_overlap_apply_nothing_twice(read_before in 0..40_u64, pushed in 0..40_u64) {
        let mut log = SimulatedLog::new(500);
        log.publish_many(read_before);
        let mut reader = Reader::new(500);
        let page = log.page(&Pull::Newest);
        (0..pushed).map(|_| log.publish()).for_each(|item| reader.hears(item));
        reader.answer(page);
        (1..=read_before + pushed).for_each(|seq| reader.hears((1, seq)));
        reader.answer_all(&log);

        prop_assert_eq!(&reader.applied, &log.events);
        prop_assert_eq!(reader.pulls, 1, "what was pushed meanwhile was set aside, and needs no second pull");
    }
}

#[test]
fn a_page_read_before_the_latest_pushes_takes_nothing_back() {
    let mut log = SimulatedLog::new(100);
    log.publish_many(5);
    let mut reader = Reader::caught_up_with(&log, 500);
    let (six, seven) = (log.publish(), log.publish());
    reader.hears(seven);
    let page = log.page(reader.asked.as_ref().expect("a gap asks"));
    reader.hears(six);
    let eight = log.publish();
    reader.hears(eight);

    reader.answer(page);

    assert_eq!(reader.applied, log.events);
    assert_eq!(reader.started_over, 1, "the page was only late, the log was not restored");
}

#[test]
fn what_is_set_aside_is_bounded() {
    let token = Rc::new(());
    let mut feed = Feed::new(500);
    for seq in 2..2_000 {
        let _ = feed.on_event(Seq(seq), Rc::clone(&token));
    }
    assert_eq!(Rc::strong_count(&token) - 1, 256);
}

#[test]
fn a_head_below_the_cursor_makes_one_pull_that_finds_the_shorter_log() {
    let mut log = SimulatedLog::new(100);
    log.publish_many(9);
    let mut reader = Reader::caught_up_with(&log, 500);
    log.events.truncate(4);
    reader.hears_head(&log.epoch(), log.head());
    reader.answer_all(&log);

    assert_eq!((reader.pulls, &reader.applied), (1, &log.events));
}

#[test]
fn an_old_head_costs_one_pull_and_nothing_else() {
    let mut log = SimulatedLog::new(100);
    log.publish_many(9);
    let mut reader = Reader::caught_up_with(&log, 500);
    reader.hears_head(&log.epoch(), Seq(3));
    reader.answer_all(&log);

    assert_eq!((reader.pulls, reader.started_over, &reader.applied), (1, 1, &log.events));
}

#[test]
fn a_reader_too_far_behind_starts_over_from_the_newest_page() {
    let mut log = SimulatedLog::new(100);
    let mut reader = Reader::caught_up_with(&log, 500);
    log.publish_many(501);
    reader.hears_head(&log.epoch(), log.head());
    assert_eq!(reader.asked, Some(Pull::Newest));
    reader.answer_all(&log);

    assert_eq!((reader.pulls, &reader.applied[..]), (1, &log.events[401..]));
}

#[test]
fn a_pull_that_failed_is_owed_until_it_succeeds() {
    let mut log = SimulatedLog::new(100);
    let mut reader = Reader::caught_up_with(&log, 500);
    log.publish();
    reader.hears_head(&log.epoch(), log.head());
    for _ in 0..3 {
        reader.lose_pull();
        assert_eq!(reader.asked, None, "a failed pull is not repeated before the driver says so");
        reader.resume();
    }
    reader.answer_all(&log);

    assert_eq!(reader.applied, log.events);
}
