//! The chat without a WebSocket: the network lets none through, or the node accepts no more.

use std::time::{Duration, Instant};

use super::NOTHING_PENDING;
use crate::gate::Gate;
use crate::window::{Window, words_of};
use crate::{product, product_with};

/// The number of windows: more than the connections that a browser opens to one server.
const WINDOWS: usize = 7;
/// The most requests that may wait at the node, so that connections are left for everything else.
const WAITING_MAX: usize = 3;
/// The time within which a message counts as sent at once. One that waits for a free connection takes many seconds.
const AT_ONCE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_websockets_the_chat_works_by_long_poll() {
    let server = product();
    let gate = Gate::without_sockets(&server).await;
    let ada = Window::polling(&gate, "Ada").await;
    let grace = Window::in_general(&server, "Grace").await;
    ada.is_in("general").await;
    for number in 1..=5 {
        grace.writes(&format!("from Grace {number}")).await;
        ada.reads(&format!("from Grace {number}")).await;
        ada.writes(&format!("from Ada {number}")).await;
        grace.reads(&format!("from Ada {number}")).await;
    }
    ada.reads("from Ada 5").await;
    assert_eq!(ada.texts().await.len(), 10);
    ada.until("nothing is pending", NOTHING_PENDING).await;
    // One request for each event and one that waits, and a few more at the start.
    let asked = gate.passed("/events?");
    assert!(asked <= 10 + 5, "{asked} requests for 10 events");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polling_client_survives_a_restart_of_the_server() {
    let mut server = product();
    let gate = Gate::without_sockets(&server).await;
    let ada = Window::polling(&gate, "Ada").await;
    ada.is_in("general").await;
    server.kill();
    ada.has_status("waiting").await;
    ada.writes("into the dark").await;
    ada.finds(".message.pending:not([data-seq])").await;
    server.restart();
    ada.has_status("polling").await;
    ada.reads("into the dark").await;
    server.guest("Joan").await.posts("general", "k", "and back").await;
    ada.reads("and back").await;
    assert_eq!(ada.texts().await, ["into the dark", "and back"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_free_sockets_still_serves_reading_and_writing() {
    let server = product_with(&["--node-sockets-max", "1"]);
    let ada = Window::in_general(&server, "Ada").await;
    ada.writes("first").await;
    let grace = Window::of(&server).await;
    grace.enters_general("Grace").await;
    grace.reads("first").await;
    grace.has_status("polling").await;
    let why = format!("{}?.includes('no live connections left')", words_of("#connection-why"));
    grace.until("the reason is shown", &why).await;
    grace.writes("second").await;
    ada.reads("second").await;
    ada.writes("third").await;
    grace.reads("third").await;
    grace.until("nothing is pending", NOTHING_PENDING).await;
    assert_eq!(grace.texts().await, ["first", "second", "third"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_polling_windows_leave_connections_for_sending() {
    let server = product();
    let gate = Gate::without_sockets(&server).await;
    let ada = Window::polling_with_tabs(&gate, "Ada").await;
    ada.is_in("general").await;
    for _ in 1..WINDOWS {
        ada.opens_a_tab("/rooms/general").await;
        ada.has_status("polling").await;
        ada.is_in("general").await;
    }
    for number in 1..=3 {
        let (text, begun) = (format!("line {number}"), Instant::now());
        ada.writes(&text).await;
        ada.reads(&text).await;
        assert!(begun.elapsed() < AT_ONCE, "line {number} took {:?}", begun.elapsed());
        let waiting = gate.waiting();
        assert!(waiting <= WAITING_MAX, "{waiting} requests wait at the node");
    }
    // The windows without a long poll ask every few seconds.
    for tab in ada.driver.windows().await.unwrap() {
        ada.switches_to(&tab).await;
        ada.reads("line 3").await;
    }
}
