//! The server goes away and comes back: nothing is lost, nothing is there twice.

use super::NOTHING_UNSETTLED;
use crate::product;
use crate::window::Window;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kill_9_and_restart_both_pages_catch_up_by_themselves() {
    let mut server = product();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    let grace = Window::signed_in(&server, "Grace", "/rooms/general").await;
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
async fn what_is_written_while_the_server_is_away_is_sent_once_it_returns() {
    let mut server = product();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    let grace = Window::signed_in(&server, "Grace", "/rooms/general").await;
    server.kill();
    ada.has_status("waiting").await;
    ada.writes("into the dark").await;
    ada.finds(".message.pending:not([data-seq])").await;
    server.restart();
    for window in [&ada, &grace] {
        window.reads("into the dark").await;
        assert_eq!(window.texts().await, ["into the dark"]);
        window.until("nothing is pending", NOTHING_UNSETTLED).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_was_refused_for_good_can_be_tried_again() {
    let mut server = product();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    server.kill();
    server.restart_with(&["--payload-bytes-max", "50"]);
    ada.is_connected().await;
    let long = "x".repeat(100);
    ada.writes(&long).await;
    ada.finds(".message.failed:not([data-seq])").await;
    server.kill();
    server.restart();
    ada.is_connected().await;
    ada.clicks(".message.failed .message-retry").await;
    ada.reads(&long).await;
    assert_eq!(ada.texts().await.len(), 1);
}
