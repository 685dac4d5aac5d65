//! `Connection`: whatever happens, in any order, the rules of reconnecting hold.

use proptest::prelude::*;
use shared::{CloseReason, ConnectionCommand, Input, Millis, Status};

use crate::driver::Driver;

const WAIT_MS_MAX: Millis = 20_000;

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        2 => Just(Input::Start),
        1 => Just(Input::Stop),
        6 => Just(Input::Welcome { heartbeat_secs: 25 }),
        2 => Just(Input::Heard),
        1 => (0..60_000_u64).prop_map(|reconnect_after_ms| Input::Drain { reconnect_after_ms }),
        6 => proptest::sample::select(vec![1000, 1001, 1003, 1006, 1009, 1012, 4000, 4001, 4002, 4008])
            .prop_map(|code| Input::Closed(CloseReason::from_code(code))),
        3 => Just(Input::SignedIn),
        1 => Just(Input::SignedOut),
        1 => (0..60_000_u64).prop_map(Input::RetryAfter),
        1 => (0..60_000_u64).prop_map(Input::NoSocket),
        2 => Just(Input::NoAnswer),
        1 => Just(Input::PollFailed),
        2 => any::<bool>().prop_map(Input::Online),
        2 => any::<bool>().prop_map(Input::Visible),
        1 => Just(Input::ReconnectNow),
        8 => Just(Input::Tick),
    ]
}

proptest! {
    #![proptest_config(crate::proptest_config())]

    #[test]
    fn one_socket_at_a_time_and_only_while_the_status_says_so(
        inputs in proptest::collection::vec((input(), 0..30_000_i64, 0.0..1.0), 0..150)
    ) {
        let mut driver = Driver::new();
        for (input, later, random) in inputs {
            driver.now += later;
            driver.on(input, random);
            let status = driver.machine.status();
            let may_be_open = matches!(
                status,
                Status::Connected | Status::Connecting | Status::Polling | Status::Offline
            );
            prop_assert!(may_be_open || !driver.open, "{status:?} with an open socket");
        }
    }

    #[test]
    fn a_wait_is_never_longer_than_the_ceiling_and_never_none(
        losses in proptest::collection::vec((0..30_000_i64, 0.0..1.0, any::<bool>()), 1..30)
    ) {
        let mut driver = Driver::started();
        for (held, random, visible) in losses {
            driver.on(Input::Visible(visible), random);
            driver.on(Input::Welcome { heartbeat_secs: 25 }, random);
            driver.now += held;
            driver.on(Input::Closed(CloseReason::Other(1006)), random);
            let least = if visible { 500 } else { WAIT_MS_MAX / 2 };
            prop_assert!((least..=WAIT_MS_MAX).contains(&driver.wait()), "{} ms", driver.wait());
            driver.ticks();
        }
    }

    #[test]
    fn a_drained_client_comes_back_when_it_was_told(told in 0..60_000_u64, shown in any::<bool>()) {
        let mut driver = Driver::connected();
        driver.on(Input::Drain { reconnect_after_ms: told }, 0.5);
        driver.on(Input::Closed(CloseReason::ServiceRestart), 0.5);
        prop_assert_eq!(driver.wait(), told as Millis);

        driver.on(Input::Visible(shown), 0.5);
        driver.on(Input::Online(true), 0.5);
        prop_assert!(!driver.open, "neither the page nor the network cuts the wait short");
        driver.ticks();
        prop_assert!(driver.open);
    }

    #[test]
    fn a_client_that_is_not_wanted_stays_away(
        code in proptest::sample::select(vec![4000, 4001]),
        inputs in proptest::collection::vec((input(), 0..30_000_i64), 0..50)
    ) {
        let mut driver = Driver::connected();
        driver.on(Input::Closed(CloseReason::from_code(code)), 0.5);
        let by_a_person = |input: &Input| matches!(input, Input::Start | Input::ReconnectNow | Input::Stop);
        for (input, later) in inputs.into_iter().filter(|(input, _)| !by_a_person(input)) {
            driver.now += later;
            driver.on(input, 0.5);
        }
        prop_assert_eq!(driver.opened, 1);
    }
}

#[test]
fn the_ladder_is_climbed_by_connections_that_do_not_hold() {
    let mut driver = Driver::started();
    let mut waits = Vec::new();
    for held in [0, 9_999, 0, 0, 0, 0, 0] {
        driver.loses_it_after(held);
        waits.push(driver.wait());
        driver.ticks();
    }
    assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
}

#[test]
fn ten_healthy_seconds_lead_back_to_its_foot() {
    let mut driver = Driver::started();
    for _ in 0..4 {
        driver.loses_it_after(0);
        driver.ticks();
    }
    driver.loses_it_after(10_000);
    assert_eq!(driver.wait(), 1_000);
}

#[test]
fn a_socket_that_never_opens_asks_who_is_signed_in_and_climbs() {
    let mut driver = Driver::started();
    let mut waits = Vec::new();
    for answer in [Input::NoAnswer, Input::SignedIn, Input::NoAnswer] {
        let asked = driver.on(Input::Closed(CloseReason::Other(1006)), 1.0);
        assert_eq!(asked, [ConnectionCommand::CheckSignIn]);
        driver.on(answer, 1.0);
        waits.push(driver.wait());
        driver.ticks();
    }
    assert_eq!(waits, [1_000, 2_000, 4_000]);
}

#[test]
fn the_answer_of_a_busy_node_is_kept_to() {
    let mut driver = Driver::started();
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    driver.on(Input::RetryAfter(33_000), 0.5);
    assert_eq!(driver.wait(), 33_000);
}

#[test]
fn who_signed_out_elsewhere_is_told_so() {
    let mut driver = Driver::started();
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    driver.on(Input::SignedOut, 0.5);
    assert_eq!(driver.machine.status(), Status::SignedOut);
}

#[test]
fn a_silent_connection_is_given_up_after_two_heartbeats() {
    let mut driver = Driver::connected();
    driver.now += 30_000;
    driver.on(Input::Heard, 0.5);
    assert_eq!(driver.machine.wake_at(), Some(driver.now + 50_000));
    assert_eq!(driver.ticks(), [ConnectionCommand::Close]);
    assert!(matches!(driver.machine.status(), Status::Waiting { .. }));
}

#[test]
fn an_attempt_without_welcome_is_given_up() {
    let mut driver = Driver::started();
    assert_eq!(driver.machine.wake_at(), Some(10_000));
    assert_eq!(driver.ticks(), [ConnectionCommand::Close, ConnectionCommand::CheckSignIn]);
}

#[test]
fn a_page_shown_again_doubts_its_connection_and_an_answer_clears_it() {
    let mut driver = Driver::connected();
    driver.on(Input::Visible(false), 0.5);
    assert_eq!(driver.on(Input::Visible(true), 0.5), [ConnectionCommand::Ping]);
    assert_eq!(driver.machine.wake_at(), Some(driver.now + 5_000));
    driver.on(Input::Heard, 0.5);
    assert_eq!(driver.machine.wake_at(), Some(driver.now + 50_000));
}

#[test]
fn a_network_that_returns_is_tried_at_once() {
    let mut driver = Driver::connected();
    driver.on(Input::Online(false), 0.5);
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    assert_eq!(driver.machine.status(), Status::Offline);
    assert_eq!(driver.on(Input::Online(true), 0.5), [ConnectionCommand::Open]);
}

#[test]
fn a_network_that_carries_a_connection_is_there_whatever_the_browser_said() {
    let mut driver = Driver::connected();
    driver.on(Input::Online(false), 0.5);
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    driver.on(Input::ReconnectNow, 0.5);
    driver.on(Input::Welcome { heartbeat_secs: 25 }, 0.5);
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    assert!(matches!(driver.machine.status(), Status::Waiting { .. }));
}

#[test]
fn a_late_answer_ends_no_newer_sign_in() {
    let mut driver = Driver::started();
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    driver.on(Input::Stop, 0.5);
    driver.on(Input::Start, 0.5);
    driver.on(Input::SignedOut, 0.5);
    assert_eq!(driver.machine.status(), Status::Connecting);
}

#[test]
fn a_person_who_insists_is_believed_over_the_browser() {
    let mut driver = Driver::connected();
    driver.on(Input::Online(false), 0.5);
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    assert_eq!(driver.on(Input::ReconnectNow, 0.5), [ConnectionCommand::Open]);
}

#[test]
fn an_offline_page_tries_every_thirty_seconds_and_says_offline_meanwhile() {
    let mut driver = Driver::offline();
    for _ in 0..3 {
        let began = driver.now;
        assert_eq!(driver.ticks(), [ConnectionCommand::Open]);
        assert_eq!(driver.now - began, 30_000);
        assert_eq!(driver.machine.status(), Status::Offline, "the attempt is nobody's concern");
        driver.fails_and_hears(Input::NoAnswer);
        assert_eq!(driver.machine.status(), Status::Offline);
    }
    driver.ticks();
    driver.on(Input::Welcome { heartbeat_secs: 25 }, 0.5);
    assert_eq!(driver.machine.status(), Status::Connected);
}

#[test]
fn an_offline_page_tries_at_once_when_it_is_shown() {
    let mut driver = Driver::offline();
    driver.on(Input::Visible(false), 0.5);
    assert_eq!(driver.on(Input::Visible(true), 0.5), [ConnectionCommand::Open]);
    assert_eq!(driver.machine.status(), Status::Offline);
}

#[test]
fn an_answer_proves_the_network_whatever_the_browser_said() {
    let mut driver = Driver::offline();
    driver.ticks();
    driver.fails_and_hears(Input::RetryAfter(5_000));
    assert_eq!(driver.wait(), 5_000);
}
