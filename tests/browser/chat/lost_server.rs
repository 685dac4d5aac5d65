//! The server goes away and comes back: nothing is lost, nothing is there twice.

use super::NOTHING_UNSETTLED;
use crate::product;
use crate::window::{Window, words_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kill_9_and_restart_both_pages_catch_up_by_themselves() {
    let mut server = product();
    let ada = Window::in_general(&server, "Ada").await;
    let grace = Window::in_general(&server, "Grace").await;
    ada.writes("before").await;
    grace.reads("before").await;
    server.kill();
    ada.has_status("waiting").await;
    grace.has_status("waiting").await;
    server.restart();
    let joan = server.guest("Joan").await;
    for number in 1..=20 {
        joan.posts("general", &format!("k{number}"), &format!("meanwhile {number}")).await;
    }
    ada.is_connected().await;
    ada.writes("after").await;

    for window in [&ada, &grace] {
        window.reads("after").await;
        let texts = window.texts().await;
        assert_eq!((texts.len(), texts[0].as_str(), texts[20].as_str()), (22, "before", "meanwhile 20"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_written_while_the_server_is_away_are_sent_once_it_returns() {
    let mut server = product();
    let ada = Window::in_general(&server, "Ada").await;
    let grace = Window::in_general(&server, "Grace").await;
    server.kill();
    ada.has_status("waiting").await;
    ada.writes("into the dark").await;
    ada.finds(".message.pending:not([data-seq])").await;
    // Nobody is signed out behind a server that does not know of it, and the page stays.
    ada.clicks("#user-menu").await;
    ada.clicks("#sign-out").await;
    let told = format!("{}?.includes('still signed in')", words_of(".notices"));
    ada.until("it is told", &told).await;
    ada.finds(".message.pending:not([data-seq])").await;
    server.restart();
    for window in [&ada, &grace] {
        window.reads("into the dark").await;
        assert_eq!(window.texts().await, ["into the dark"]);
        window.until("nothing is pending", NOTHING_UNSETTLED).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_whose_history_is_not_loaded_does_not_claim_to_start_there() {
    let mut server = product();
    let joan = server.guest("Joan").await;
    for number in 1..=3 {
        joan.posts("tea", &format!("k{number}"), &format!("line {number}")).await;
    }
    let ada = Window::in_general(&server, "Ada").await;
    ada.finds(".room-link[data-room=tea]").await;
    server.kill();
    ada.has_status("waiting").await;
    ada.clicks(".room-link[data-room=tea]").await;
    ada.writes("is anybody here?").await;
    ada.finds(".message.pending").await;
    let top = words_of(".timeline-top [role=status]");
    ada.until("it says why", &format!("{top} === \"Messages will appear once you're connected.\"")).await;
    server.restart();
    ada.reads("is anybody here?").await;
    ada.until("all of it is here", &format!("{top} === 'This is the start of #tea.'")).await;
    assert_eq!(ada.texts().await, ["line 1", "line 2", "line 3", "is anybody here?"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_refused_for_good_says_why_and_can_be_retried() {
    let mut server = product();
    let ada = Window::in_general(&server, "Ada").await;
    server.kill();
    ada.has_status("waiting").await;
    // The page has been told of a limit that it fits in.
    let long = "x".repeat(100);
    ada.writes(&long).await;
    server.restart_with(&["--payload-bytes-max", "50"]);
    ada.is_connected().await;
    let why =
        format!("{}?.includes('Not sent. This message is too long for this server.')", words_of(".failure"));
    ada.until("it says why", &why).await;
    server.kill();
    server.restart();
    ada.is_connected().await;
    ada.clicks(".message.failed .message-retry").await;
    ada.reads(&long).await;
    assert_eq!(ada.texts().await.len(), 1);
}
