//! `Connection`: the rules of reconnecting hold for all inputs in any order.

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
    fn there_is_one_socket_at_a_time_and_only_while_the_status_allows_it(
        inputs in proptest::collection::vec((input(), 0..30_000_i64, 0.0..1.0), 0..150)
    ) {
        let mut driver = Driver::new();
        for (input, later, random) in inputs {
            driver.now += later;
            driver.on(input, random);
            let status = driver.connection.status();
            let may_be_open = matches!(
                status,
                Status::Connected | Status::Connecting | Status::Polling | Status::Offline
            );
            prop_assert!(may_be_open || !driver.open, "{status:?} with an open socket");
        }
    }

    #[test]
    fn a_wait_is_never_longer_than_the_maximum_and_never_zero(
        losses in proptest::collection::vec((0..30_000_i64, 0.0..1.0, any::<bool>()), 1..30)
    ) {
        let mut driver = Driver::started();
        for (open_for, random, visible) in losses {
            driver.on(Input::Visible(visible), random);
            driver.on(Input::Welcome { heartbeat_secs: 25 }, random);
            driver.now += open_for;
            driver.on(Input::Closed(CloseReason::Other(1006)), random);
            let least = if visible { 500 } else { WAIT_MS_MAX / 2 };
            prop_assert!((least..=WAIT_MS_MAX).contains(&driver.wait()), "{} ms", driver.wait());
            driver.tick();
        }
    }

    #[test]
    fn a_drained_client_reconnects_at_the_given_time(delay in 0..60_000_u64, shown in any::<bool>()) {
        let mut driver = Driver::connected();
        driver.on(Input::Drain { reconnect_after_ms: delay }, 0.5);
        driver.on(Input::Closed(CloseReason::ServiceRestart), 0.5);
        prop_assert_eq!(driver.wait(), delay as Millis);

        driver.on(Input::Visible(shown), 0.5);
        driver.on(Input::Online(true), 0.5);
        prop_assert!(!driver.open, "neither the page nor the network shortens the wait");
        driver.tick();
        prop_assert!(driver.open);
    }

    #[test]
    fn a_client_that_was_rejected_does_not_reconnect(
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
fn connections_that_do_not_last_make_the_waits_longer() {
    let mut driver = Driver::started();
    let mut waits = Vec::new();
    for open_for in [0, 9_999, 0, 0, 0, 0, 0] {
        driver.lose_after(open_for);
        waits.push(driver.wait());
        driver.tick();
    }
    assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
}

#[test]
fn ten_healthy_seconds_reset_the_waits() {
    let mut driver = Driver::started();
    for _ in 0..4 {
        driver.lose_after(0);
        driver.tick();
    }
    driver.lose_after(10_000);
    assert_eq!(driver.wait(), 1_000);
}

#[test]
fn a_socket_that_never_opens_makes_the_client_ask_who_is_signed_in_and_wait_longer() {
    let mut driver = Driver::started();
    let mut waits = Vec::new();
    for answer in [Input::NoAnswer, Input::SignedIn, Input::NoAnswer] {
        let commands = driver.on(Input::Closed(CloseReason::Other(1006)), 1.0);
        assert_eq!(commands, [ConnectionCommand::CheckSignIn]);
        driver.on(answer, 1.0);
        waits.push(driver.wait());
        driver.tick();
    }
    assert_eq!(waits, [1_000, 2_000, 4_000]);
}

#[test]
fn the_retry_delay_of_a_busy_node_is_respected() {
    let mut driver = Driver::started();
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    driver.on(Input::RetryAfter(33_000), 0.5);
    assert_eq!(driver.wait(), 33_000);
}

#[test]
fn a_client_that_was_signed_out_elsewhere_shows_it() {
    let mut driver = Driver::started();
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    driver.on(Input::SignedOut, 0.5);
    assert_eq!(driver.connection.status(), Status::SignedOut);
}

#[test]
fn a_silent_connection_is_closed_after_two_heartbeats() {
    let mut driver = Driver::connected();
    driver.now += 30_000;
    driver.on(Input::Heard, 0.5);
    assert_eq!(driver.connection.wake_at(), Some(driver.now + 50_000));
    assert_eq!(driver.tick(), [ConnectionCommand::Close]);
    assert!(matches!(driver.connection.status(), Status::Waiting { .. }));
}

#[test]
fn an_attempt_without_a_welcome_is_abandoned() {
    let mut driver = Driver::started();
    assert_eq!(driver.connection.wake_at(), Some(10_000));
    assert_eq!(driver.tick(), [ConnectionCommand::Close, ConnectionCommand::CheckSignIn]);
}

#[test]
fn a_page_that_is_shown_again_tests_its_connection_with_a_ping() {
    let mut driver = Driver::connected();
    driver.on(Input::Visible(false), 0.5);
    assert_eq!(driver.on(Input::Visible(true), 0.5), [ConnectionCommand::Ping]);
    assert_eq!(driver.connection.wake_at(), Some(driver.now + 5_000));
    driver.on(Input::Heard, 0.5);
    assert_eq!(driver.connection.wake_at(), Some(driver.now + 50_000));
}

#[test]
fn a_network_that_returns_is_used_at_once() {
    let mut driver = Driver::connected();
    driver.on(Input::Online(false), 0.5);
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    assert_eq!(driver.connection.status(), Status::Offline);
    assert_eq!(driver.on(Input::Online(true), 0.5), [ConnectionCommand::Open]);
}

#[test]
fn a_connection_proves_the_network_whatever_the_browser_reported() {
    let mut driver = Driver::connected();
    driver.on(Input::Online(false), 0.5);
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    driver.on(Input::ReconnectNow, 0.5);
    driver.on(Input::Welcome { heartbeat_secs: 25 }, 0.5);
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    assert!(matches!(driver.connection.status(), Status::Waiting { .. }));
}

#[test]
fn a_late_answer_does_not_end_a_newer_sign_in() {
    let mut driver = Driver::started();
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    driver.on(Input::Stop, 0.5);
    driver.on(Input::Start, 0.5);
    driver.on(Input::SignedOut, 0.5);
    assert_eq!(driver.connection.status(), Status::Connecting);
}

#[test]
fn a_person_may_reconnect_although_the_browser_reports_no_network() {
    let mut driver = Driver::connected();
    driver.on(Input::Online(false), 0.5);
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    assert_eq!(driver.on(Input::ReconnectNow, 0.5), [ConnectionCommand::Open]);
}

#[test]
fn an_offline_page_retries_every_thirty_seconds_and_stays_offline_until_then() {
    let mut driver = Driver::offline();
    for _ in 0..3 {
        let began = driver.now;
        assert_eq!(driver.tick(), [ConnectionCommand::Open]);
        assert_eq!(driver.now - began, 30_000);
        assert_eq!(driver.connection.status(), Status::Offline, "the status does not show the attempt");
        driver.fail_with(Input::NoAnswer);
        assert_eq!(driver.connection.status(), Status::Offline);
    }
    driver.tick();
    driver.on(Input::Welcome { heartbeat_secs: 25 }, 0.5);
    assert_eq!(driver.connection.status(), Status::Connected);
}

#[test]
fn an_offline_page_retries_at_once_when_it_is_shown() {
    let mut driver = Driver::offline();
    driver.on(Input::Visible(false), 0.5);
    assert_eq!(driver.on(Input::Visible(true), 0.5), [ConnectionCommand::Open]);
    assert_eq!(driver.connection.status(), Status::Offline);
}

#[test]
fn an_answer_proves_the_network_whatever_the_browser_reported() {
    let mut driver = Driver::offline();
    driver.tick();
    driver.fail_with(Input::RetryAfter(5_000));
    assert_eq!(driver.wait(), 5_000);
}
