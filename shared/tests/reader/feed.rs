//! `Feed`: whatever is lost, late or doubled on the way, every event is applied once and in order.

use std::rc::Rc;

use proptest::prelude::*;
use shared::{Feed, Position, Pull, Seq};

use crate::simulated_log::{Reader, SimulatedLog};
use crate::world::{Happening, PAGE_LIMIT, World, happening};

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
        let page = log.page(&Pull { after: None, heard: Seq::ZERO });
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
fn what_a_slow_connection_still_carries_of_an_earlier_life_is_not_taken_for_an_event_of_this_one() {
    let mut log = SimulatedLog::new(100);
    log.publish_many(2);
    let mut reader = Reader::caught_up_with(&log, 500);
    let (_lost, late) = (log.publish(), log.publish());
    log.restore(0);
    log.publish_many(3);
    reader.hears_head(&log.epoch(), log.head());
    reader.answer_all(&log);
    reader.hears(late);
    reader.answer_all(&log);
    log.publish_many(2);
    reader.hears_head(&log.epoch(), log.head());
    reader.answer_all(&log);

    assert_eq!(reader.applied, log.events);
}

#[test]
fn what_is_set_aside_is_bounded() {
    let token = Rc::new(());
    let (mut feed, epoch) = (Feed::new(500), SimulatedLog::new(1).epoch());
    for seq in 2..2_000 {
        let _ = feed.on_event(&epoch, Seq(seq), Rc::clone(&token));
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
    assert_eq!(reader.asked, Some(Pull { after: None, heard: log.head() }));
    reader.answer_all(&log);

    assert_eq!((reader.pulls, &reader.applied[..]), (1, &log.events[401..]));
}

#[test]
fn a_reader_without_push_asks_for_what_comes_next_one_pull_at_a_time() {
    let mut log = SimulatedLog::new(100);
    let mut reader = Reader::caught_up_with(&log, 500);
    for _ in 0..3 {
        reader.waits();
        reader.waits();
        log.publish();
        reader.answer(log.page(&reader.asked.clone().expect("it waits at the log")));
    }
    reader.waits();
    reader.lose_pull();
    reader.resume();

    assert_eq!(reader.asked, None, "nothing is owed by a wait that came to nothing");
    assert_eq!((reader.pulls, &reader.applied), (4, &log.events));
}

#[test]
fn what_only_a_page_told_of_is_owed_too_when_the_next_pull_fails() {
    let mut log = SimulatedLog::new(3);
    let mut reader = Reader::caught_up_with(&log, 500);
    log.publish_many(5);
    reader.hears_head(&log.epoch(), Seq(2));
    reader.answer(log.page(&reader.asked.clone().expect("a head asks")));
    reader.lose_pull();
    reader.resume();
    reader.answer_all(&log);

    assert_eq!(reader.applied, log.events);
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

#[test]
fn a_reader_is_current_once_it_has_applied_all_that_it_was_told_of() {
    let mut log = SimulatedLog::new(500);
    let mut feed = Feed::new(500);
    let first = feed.resume().pull.unwrap();
    assert!(!feed.is_current(), "nothing is known before the first page");
    drop(feed.on_page(log.page(&first)));
    assert!(feed.is_current(), "an empty topic is all there is");

    log.publish();
    let wish = feed.on_head(&log.epoch(), log.head()).pull.unwrap();
    assert!(!feed.is_current(), "one is on its way");
    feed.on_pull_failed();
    assert!(!feed.is_current(), "and still owed when the pull fails");
    let again = feed.resume().pull.unwrap();
    assert_eq!(again, wish);
    drop(feed.on_page(log.page(&again)));
    assert!(feed.is_current());

    assert!(feed.wait().pull.is_some());
    assert!(feed.is_current(), "waiting for what comes next owes nothing");
}
