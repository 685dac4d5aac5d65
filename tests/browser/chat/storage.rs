//! A browser without storage: it is forbidden, full, or was cleared.

use super::NOTHING_PENDING;
use crate::product;
use crate::window::{Window, words_of};

const FORBIDDEN: &str = "for (const area of ['localStorage', 'sessionStorage'])
    Object.defineProperty(window, area, { get() { throw new DOMException('denied', 'SecurityError'); } });";

const FULL: &str =
    "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };";

const WARNING: &str = "Your browser blocks storage. Keep this tab open until your messages are sent.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_storage_everything_works_and_a_waiting_message_brings_a_warning() {
    for lack in [FORBIDDEN, FULL] {
        let mut server = product();
        let ada = Window::of(&server).await;
        ada.before_load(lack).await;
        ada.enters_general("Ada").await;
        ada.is_connected().await;
        ada.writes("first").await;
        ada.reads("first").await;
        ada.starts_room("tea").await;
        ada.follows("general").await;
        ada.is_calm().await;
        server.kill();
        ada.has_status("waiting").await;
        ada.writes("second").await;
        let is_shown = format!("{}?.includes('{WARNING}')", words_of(".notices"));
        ada.until("the warning is shown", &is_shown).await;
        server.restart();
        ada.reads("second").await;
        assert_eq!(ada.texts().await, ["first", "second"]);
        ada.until("nothing is pending", NOTHING_PENDING).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_messages_survive_clearing_the_storage_under_an_open_tab() {
    let mut server = product();
    let ada = Window::in_general(&server, "Ada").await;
    server.kill();
    ada.has_status("waiting").await;
    ada.writes("into the dark").await;
    ada.finds(".message.pending").await;
    let _: Option<bool> = ada.evaluates("(localStorage.clear(), null)").await;
    server.restart();
    ada.reads("into the dark").await;
    assert_eq!(ada.texts().await, ["into the dark"]);
    ada.until("nothing is pending", NOTHING_PENDING).await;
}
