//! A wrong clock on the machine of the browser: times are shown by the clock of the node, and no message is lost.

use super::NOTHING_PENDING;
use crate::gate::Gate;
use crate::product;
use crate::window::{Window, words_of};

const HOUR: i64 = 60 * 60 * 1_000;
const YEAR: i64 = 365 * 24 * HOUR;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_this_second_is_shown_as_now_whatever_the_browsers_clock_says() {
    let server = product();
    let (joan, ada) = (server.guest("Joan").await, Window::in_general(&server, "Ada").await);
    for ahead in [HOUR, -HOUR, YEAR, -YEAR] {
        ada.reloads_with_clock_ahead_by(ahead).await;
        ada.is_in("general").await;
        ada.is_connected().await;
        let text = format!("with the clock off by {ahead}");
        joan.posts("general", &format!("k{ahead}"), &text).await;
        ada.reads(&text).await;
        let listed = format!("{}?.includes('{text}')", words_of("[data-room=general]"));
        ada.until("the list of rooms has the message", &listed).await;
        let is_now = format!("{} === 'now'", words_of("[data-room=general] .room-link-time"));
        ada.until(&format!("the message is of now, with the clock off by {ahead}"), &is_now).await;
        let is_today = "[...document.querySelectorAll('.day')].at(-1)?.textContent.trim() === 'Today'";
        ada.until(&format!("the message is of today, with the clock off by {ahead}"), is_today).await;
    }
    ada.is_calm().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_messages_survive_a_clock_that_is_wrong_for_a_while() {
    let server = product();
    let gate = Gate::before(&server).await;
    let ada = Window::in_general_behind(&gate, "Ada").await;
    gate.refuses("post /api/chat/", 503);
    ada.writes("patient").await;
    let waits = "[...document.querySelectorAll('.message:not([data-seq]) .message-text')]\
                 .map(text => text.textContent).join() === 'patient'";
    for ahead in [YEAR, -YEAR, 0] {
        ada.reloads_with_clock_ahead_by(ahead).await;
        ada.is_in("general").await;
        ada.until(&format!("the message is still pending, with the clock off by {ahead}"), waits).await;
    }
    gate.refuses_nothing();
    ada.reads("patient").await;
    assert_eq!(ada.texts().await, ["patient"]);
    ada.until("nothing is pending", NOTHING_PENDING).await;
}
