//! Polling: if no socket gets through, the client polls, and returns to a socket once one opens.

use shared::{CloseReason, ConnectionCommand, Input, Status};

use crate::driver::Driver;

#[test]
fn a_node_that_answers_twice_while_no_socket_opens_is_polled() {
    let mut driver = Driver::started();
    driver.fail_with(Input::SignedIn);
    assert!(matches!(driver.connection.status(), Status::Waiting { .. }), "one failure may be a coincidence");
    driver.tick();
    driver.fail_with(Input::SignedIn);
    assert_eq!(driver.connection.status(), Status::Polling);
}

#[test]
fn a_node_that_was_unreachable_in_between_is_not_polled() {
    let mut driver = Driver::started();
    for answer in [Input::SignedIn, Input::NoAnswer, Input::SignedIn] {
        driver.fail_with(answer);
        assert!(matches!(driver.connection.status(), Status::Waiting { .. }));
        driver.tick();
    }
}

#[test]
fn a_client_that_polls_tries_a_socket_every_few_minutes_and_stops_polling_once_one_opens() {
    let mut driver = Driver::polling();
    for _ in 0..3 {
        let began = driver.now;
        assert_eq!(driver.tick(), [ConnectionCommand::Open]);
        assert!((120_000..=240_000).contains(&(driver.now - began)), "{} ms", driver.now - began);
        assert_eq!(driver.connection.status(), Status::Polling, "the status does not show the attempt");
        driver.fail_with(Input::SignedIn);
    }
    driver.tick();
    driver.on(Input::Welcome { heartbeat_secs: 25 }, 0.5);
    assert_eq!(driver.connection.status(), Status::Connected);
    driver.on(Input::Closed(CloseReason::Other(1006)), 0.5);
    assert!(
        matches!(driver.connection.status(), Status::Waiting { .. }),
        "the count of failures starts again"
    );
}

#[test]
fn a_failed_poll_shows_that_the_node_is_unreachable_and_polling_resumes_once_it_returns() {
    let mut driver = Driver::polling();
    assert_eq!(driver.on(Input::PollFailed, 0.5), [ConnectionCommand::CheckSignIn]);
    driver.on(Input::NoAnswer, 0.5);
    assert!(driver.wait() <= 1_000, "the delays start again with the shortest");
    driver.tick();
    driver.fail_with(Input::SignedIn);
    assert_eq!(driver.connection.status(), Status::Polling);
}

#[test]
fn polls_that_keep_failing_do_not_delay_the_next_socket() {
    let mut driver = Driver::polling();
    let until = driver.connection.wake_at().unwrap();
    while driver.now + 20_000 < until {
        driver.now += 20_000;
        assert_eq!(driver.on(Input::PollFailed, 0.5), [ConnectionCommand::CheckSignIn]);
        driver.on(Input::SignedIn, 0.5);
        assert_eq!(driver.connection.status(), Status::Polling);
    }
    assert_eq!(driver.tick(), [ConnectionCommand::Open]);
    assert_eq!(driver.now, until);
}

#[test]
fn losing_the_network_ends_polling() {
    let mut driver = Driver::polling();
    driver.on(Input::Online(false), 0.5);
    assert_eq!(driver.connection.status(), Status::Offline);
    assert_eq!(driver.on(Input::Online(true), 0.5), [ConnectionCommand::Open]);
    driver.fail_with(Input::SignedIn);
    assert_eq!(driver.connection.status(), Status::Polling);
}

#[test]
fn a_node_without_free_sockets_is_polled_at_once_and_asked_again_at_the_given_time() {
    let mut driver = Driver::started();
    for _ in 0..3 {
        driver.fail_with(Input::NoSocket(10_000));
        assert_eq!(driver.connection.status(), Status::Polling);
        let refused_at = driver.now;
        driver.on(Input::Visible(true), 0.5);
        driver.on(Input::Online(true), 0.5);
        assert!(!driver.open, "neither the page nor the network shortens the wait");
        assert_eq!(driver.tick(), [ConnectionCommand::Open]);
        assert_eq!(driver.now - refused_at, 10_000);
        assert_eq!(driver.connection.status(), Status::Polling, "the status does not show the attempt");
    }
    driver.on(Input::Welcome { heartbeat_secs: 25 }, 0.5);
    assert_eq!(driver.connection.status(), Status::Connected);
}

#[test]
fn a_full_node_that_becomes_unreachable_is_not_polled_any_more() {
    let mut driver = Driver::started();
    driver.fail_with(Input::NoSocket(10_000));
    assert_eq!(driver.on(Input::PollFailed, 0.5), [ConnectionCommand::CheckSignIn]);
    driver.on(Input::NoAnswer, 0.5);
    assert!(matches!(driver.connection.status(), Status::Waiting { .. }));
}
