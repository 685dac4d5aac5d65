//! Where no socket comes through, the client polls, and takes a socket again once there is one.

use shared::{CloseReason, ConnectionCommand, Input, Status};

use crate::driver::Driver;

#[test]
fn a_node_that_answers_twice_while_no_socket_opens_is_polled() {
    let mut driver = Driver::started();
    driver.fails_and_hears(Input::SignedIn);
    assert!(matches!(driver.machine.status(), Status::Waiting { .. }), "once may be chance");
    driver.ticks();
    driver.fails_and_hears(Input::SignedIn);
    assert_eq!(driver.machine.status(), Status::Polling);
}

#[test]
fn a_node_that_was_away_in_between_is_not_taken_for_blocked() {
    let mut driver = Driver::started();
    for answer in [Input::SignedIn, Input::NoAnswer, Input::SignedIn] {
        driver.fails_and_hears(answer);
        assert!(matches!(driver.machine.status(), Status::Waiting { .. }));
        driver.ticks();
    }
}

#[test]
fn while_it_polls_a_socket_is_tried_every_few_minutes_and_ends_it() {
    let mut driver = Driver::polling();
    for _ in 0..3 {
        let began = driver.now;
        assert_eq!(driver.ticks(), [ConnectionCommand::Open]);
        assert!((120_000..=240_000).contains(&(driver.now - began)), "{} ms", driver.now - began);
        assert_eq!(driver.machine.status(), Status::Polling, "the attempt is nobody's concern");
        driver.fails_and_hears(Input::SignedIn);
    }
    driver.ticks();
    driver.on(Input::Welcome { heartbeat_secs: 25 }, 0.5);
    assert_eq!(driver.machine.status(), Status::Connected);
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    assert!(matches!(driver.machine.status(), Status::Waiting { .. }), "and it starts afresh");
}

#[test]
fn a_poll_that_fails_tells_that_the_node_is_away_and_its_return_is_polled_at_once() {
    let mut driver = Driver::polling();
    assert_eq!(driver.on(Input::PollFailed, 0.5), [ConnectionCommand::CheckSignIn]);
    driver.on(Input::NoAnswer, 0.5);
    assert!(driver.wait() <= 1_000, "the ladder begins at its foot");
    driver.ticks();
    driver.fails_and_hears(Input::SignedIn);
    assert_eq!(driver.machine.status(), Status::Polling);
}

#[test]
fn polls_that_are_cut_again_and_again_do_not_put_the_next_socket_off() {
    let mut driver = Driver::polling();
    let until = driver.machine.wake_at().unwrap();
    while driver.now + 20_000 < until {
        driver.now += 20_000;
        assert_eq!(driver.on(Input::PollFailed, 0.5), [ConnectionCommand::CheckSignIn]);
        driver.on(Input::SignedIn, 0.5);
        assert_eq!(driver.machine.status(), Status::Polling);
    }
    assert_eq!(driver.ticks(), [ConnectionCommand::Open]);
    assert_eq!(driver.now, until);
}

#[test]
fn a_network_that_goes_ends_the_polling_too() {
    let mut driver = Driver::polling();
    driver.on(Input::Online(false), 0.5);
    assert_eq!(driver.machine.status(), Status::Offline);
    assert_eq!(driver.on(Input::Online(true), 0.5), [ConnectionCommand::Open]);
    driver.fails_and_hears(Input::SignedIn);
    assert_eq!(driver.machine.status(), Status::Polling);
}

#[test]
fn a_node_without_a_socket_to_spare_is_polled_at_once_and_asked_again_when_it_said() {
    let mut driver = Driver::started();
    for _ in 0..3 {
        driver.fails_and_hears(Input::NoSocket(10_000));
        assert_eq!(driver.machine.status(), Status::Polling);
        let told = driver.now;
        driver.on(Input::Visible(true), 0.5);
        driver.on(Input::Online(true), 0.5);
        assert!(!driver.open, "neither the page nor the network cuts the wait short");
        assert_eq!(driver.ticks(), [ConnectionCommand::Open]);
        assert_eq!(driver.now - told, 10_000);
        assert_eq!(driver.machine.status(), Status::Polling, "the attempt is nobody's concern");
    }
    driver.on(Input::Welcome { heartbeat_secs: 25 }, 0.5);
    assert_eq!(driver.machine.status(), Status::Connected);
}

#[test]
fn a_full_node_that_goes_away_is_not_polled_any_more() {
    let mut driver = Driver::started();
    driver.fails_and_hears(Input::NoSocket(10_000));
    assert_eq!(driver.on(Input::PollFailed, 0.5), [ConnectionCommand::CheckSignIn]);
    driver.on(Input::NoAnswer, 0.5);
    assert!(matches!(driver.machine.status(), Status::Waiting { .. }));
}
