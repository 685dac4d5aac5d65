//! `Feed`: every event is applied once and in order, whatever is lost, late or duplicated in transit.

use std::rc::Rc;

use proptest::prelude::*;
use shared::{Feed, Position, Pull, Seq};

use crate::simulated_log::{FeedReader, SimulatedLog};
use crate::simulation::{Action, FeedSimulation, PAGE_LIMIT, action};

proptest! {
    #![proptest_config(crate::proptest_config())]

    #[test]
    fn every_event_is_applied_once_and_in_order_whatever_happens(
        actions in proptest::collection::vec(action(), 0..200)
    ) {
        let mut simulation = FeedSimulation::new();
        for action in actions {
            simulation.apply(action);
            let applied = &simulation.reader.applied;
            prop_assert!(applied.windows(2).all(|two| two[0].1 + 1 == two[1].1), "out of order: {applied:?}");
        }
        simulation.settle();

        let log = &simulation.log;
        let reader = &simulation.reader;
        let missing = log.events.len() - reader.applied.len().min(log.events.len());
        prop_assert_eq!(&reader.applied[..], &log.events[missing..], "the applied events are not the end of the log");
        prop_assert_eq!(
            reader.feed.position(),
            Some(Position { epoch: log.epoch(), seq: log.head() })
        );
        prop_assert!(missing == 0 || reader.applied.len() >= PAGE_LIMIT, "less than one page was applied");
    }

    #[test]
    fn without_a_wide_gap_or_a_new_epoch_nothing_is_ever_forgotten(
        actions in proptest::collection::vec(action(), 0..200)
    ) {
        let mut simulation = FeedSimulation::new();
        simulation.reader = FeedReader::caught_up_with(&simulation.log, u64::MAX);
        for action in actions {
            if !matches!(action, Action::Restore(_)) {
                simulation.apply(action);
            }
        }
        simulation.settle();

        prop_assert_eq!(simulation.reader.started_over, 1, "only the first page starts over");
        prop_assert_eq!(&simulation.reader.applied, &simulation.log.events);
    }

    #[test]
    fn one_lost_push_costs_one_pull_however_many_follow(
        lost in 0..50_usize, events in 51..250_usize, answered_after in 51..250_usize
    ) {
        let mut log = SimulatedLog::new(500);
        let mut reader = FeedReader::caught_up_with(&log, 500);
        for index in 0..events {
            let item = log.publish();
            if index != lost {
                reader.on_event(item);
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
        let mut reader = FeedReader::new(500);
        let page = log.page(&Pull { after: None, heard: Seq::ZERO });
        (0..pushed).map(|_| log.publish()).for_each(|item| reader.on_event(item));
        reader.answer(page);
        (1..=read_before + pushed).for_each(|seq| reader.on_event((1, seq)));
        reader.answer_all(&log);

        prop_assert_eq!(&reader.applied, &log.events);
        prop_assert_eq!(reader.pulls, 1, "events pushed in the meantime were set aside, and need no second pull");
    }
}

#[test]
fn a_page_read_before_the_latest_pushes_takes_nothing_back() {
    let mut log = SimulatedLog::new(100);
    log.publish_many(5);
    let mut reader = FeedReader::caught_up_with(&log, 500);
    let six = log.publish();
    let seven = log.publish();
    reader.on_event(seven);
    let page = log.page(reader.pull_in_flight.as_ref().expect("a gap causes a pull"));
    reader.on_event(six);
    let eight = log.publish();
    reader.on_event(eight);

    reader.answer(page);

    assert_eq!(reader.applied, log.events);
    assert_eq!(reader.started_over, 1, "the page was only late; the log was not restored");
}

#[test]
fn a_late_event_of_an_earlier_epoch_is_not_applied_in_the_current_one() {
    let mut log = SimulatedLog::new(100);
    log.publish_many(2);
    let mut reader = FeedReader::caught_up_with(&log, 500);
    let _lost = log.publish();
    let late = log.publish();
    log.restore(0);
    log.publish_many(3);
    reader.on_head(&log.epoch(), log.head());
    reader.answer_all(&log);
    reader.on_event(late);
    reader.answer_all(&log);
    log.publish_many(2);
    reader.on_head(&log.epoch(), log.head());
    reader.answer_all(&log);

    assert_eq!(reader.applied, log.events);
}

#[test]
fn the_number_of_events_set_aside_is_bounded() {
    let token = Rc::new(());
    let mut feed = Feed::new(500);
    let epoch = SimulatedLog::new(1).epoch();
    for seq in 2..2_000 {
        let _ = feed.on_event(&epoch, Seq(seq), Rc::clone(&token));
    }
    assert_eq!(Rc::strong_count(&token) - 1, 256);
}

#[test]
fn a_head_below_the_position_causes_one_pull_that_finds_the_shorter_log() {
    let mut log = SimulatedLog::new(100);
    log.publish_many(9);
    let mut reader = FeedReader::caught_up_with(&log, 500);
    log.events.truncate(4);
    reader.on_head(&log.epoch(), log.head());
    reader.answer_all(&log);

    assert_eq!((reader.pulls, &reader.applied), (1, &log.events));
}

#[test]
fn an_old_head_costs_one_pull_and_nothing_else() {
    let mut log = SimulatedLog::new(100);
    log.publish_many(9);
    let mut reader = FeedReader::caught_up_with(&log, 500);
    reader.on_head(&log.epoch(), Seq(3));
    reader.answer_all(&log);

    assert_eq!((reader.pulls, reader.started_over, &reader.applied), (1, 1, &log.events));
}

#[test]
fn a_reader_too_far_behind_starts_over_from_the_newest_page() {
    let mut log = SimulatedLog::new(100);
    let mut reader = FeedReader::caught_up_with(&log, 500);
    log.publish_many(501);
    reader.on_head(&log.epoch(), log.head());
    assert_eq!(reader.pull_in_flight, Some(Pull { after: None, heard: log.head() }));
    reader.answer_all(&log);

    assert_eq!((reader.pulls, &reader.applied[..]), (1, &log.events[401..]));
}

#[test]
fn a_reader_without_push_waits_for_the_next_event_with_one_pull_at_a_time() {
    let mut log = SimulatedLog::new(100);
    let mut reader = FeedReader::caught_up_with(&log, 500);
    for _ in 0..3 {
        reader.wait();
        reader.wait();
        log.publish();
        reader.answer(log.page(&reader.pull_in_flight.clone().expect("a pull waits at the log")));
    }
    reader.wait();
    reader.lose_pull();
    reader.resume();

    assert_eq!(reader.pull_in_flight, None, "a waiting pull that failed is not owed");
    assert_eq!((reader.pulls, &reader.applied), (4, &log.events));
}

#[test]
fn a_head_known_only_from_a_page_is_still_owed_when_the_next_pull_fails() {
    let mut log = SimulatedLog::new(3);
    let mut reader = FeedReader::caught_up_with(&log, 500);
    log.publish_many(5);
    reader.on_head(&log.epoch(), Seq(2));
    reader.answer(log.page(&reader.pull_in_flight.clone().expect("a head causes a pull")));
    reader.lose_pull();
    reader.resume();
    reader.answer_all(&log);

    assert_eq!(reader.applied, log.events);
}

#[test]
fn a_pull_that_failed_is_owed_until_it_succeeds() {
    let mut log = SimulatedLog::new(100);
    let mut reader = FeedReader::caught_up_with(&log, 500);
    log.publish();
    reader.on_head(&log.epoch(), log.head());
    for _ in 0..3 {
        reader.lose_pull();
        assert_eq!(reader.pull_in_flight, None, "a failed pull is not retried before resume");
        reader.resume();
    }
    reader.answer_all(&log);

    assert_eq!(reader.applied, log.events);
}

#[test]
fn a_reader_is_current_once_it_has_applied_every_event_it_knows_of() {
    let mut log = SimulatedLog::new(500);
    let mut feed = Feed::new(500);
    let first = feed.resume().pull.unwrap();
    assert!(!feed.is_current(), "before the first page nothing is known");
    drop(feed.on_page(log.page(&first)));
    assert!(feed.is_current(), "an empty topic has no more events");

    log.publish();
    let pull = feed.on_head(&log.epoch(), log.head()).pull.unwrap();
    assert!(!feed.is_current(), "an event is missing");
    feed.on_pull_failed();
    assert!(!feed.is_current(), "a failed pull is still owed");
    let again = feed.resume().pull.unwrap();
    assert_eq!(again, pull);
    drop(feed.on_page(log.page(&again)));
    assert!(feed.is_current());

    assert!(feed.wait().pull.is_some());
    assert!(feed.is_current(), "waiting for the next event owes nothing");
}
