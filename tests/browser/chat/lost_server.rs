//! Loss and return of the server: no message is lost or doubled.

use super::NOTHING_PENDING;
use crate::product;
use crate::window::{Window, words_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_pages_catch_up_by_themselves_after_kill_9_and_a_restart() {
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
    // Without the server there is no signing out: the page stays as it is.
    ada.clicks("#user-menu").await;
    ada.clicks("#sign-out").await;
    let is_shown = format!("{}?.includes('still signed in')", words_of(".notices"));
    ada.until("the notice is shown", &is_shown).await;
    ada.finds(".message.pending:not([data-seq])").await;
    server.restart();
    for window in [&ada, &grace] {
        window.reads("into the dark").await;
        assert_eq!(window.texts().await, ["into the dark"]);
        window.until("nothing is pending", NOTHING_PENDING).await;
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
    ada.until("the reason is shown", &format!("{top} === \"Messages will appear once you're connected.\""))
        .await;
    server.restart();
    ada.reads("is anybody here?").await;
    ada.until("the whole history is loaded", &format!("{top} === 'This is the start of #tea.'")).await;
    assert_eq!(ada.texts().await, ["line 1", "line 2", "line 3", "is anybody here?"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_refused_for_good_says_why_and_can_be_retried() {
    let mut server = product();
    let ada = Window::in_general(&server, "Ada").await;
    server.kill();
    ada.has_status("waiting").await;
    // The message fits into the limit of the first server.
    let long = "x".repeat(100);
    ada.writes(&long).await;
    server.restart_with(&["--payload-bytes-max", "50"]);
    ada.is_connected().await;
    let why =
        format!("{}?.includes('Not sent. This message is too long for this server.')", words_of(".failure"));
    ada.until("the reason is shown", &why).await;
    server.kill();
    server.restart();
    ada.is_connected().await;
    ada.clicks(".message.failed .message-retry").await;
    ada.reads(&long).await;
    assert_eq!(ada.texts().await.len(), 1);
}
