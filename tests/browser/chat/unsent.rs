//! Unsent messages: they survive the page, the tab and the server, and are sent once.

use shared::endpoint;

use super::{DRAFT, NOTHING_PENDING};
use crate::gate::Gate;
use crate::product;
use crate::window::{Window, words_of};

const KEPT: &str = "Object.keys(localStorage).filter(name => name.startsWith('duplex:post:')).length";
const PENDING: &str = "[...document.querySelectorAll('.message:not([data-seq]) .message-text')]\
                       .map(text => text.innerText)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_keeps_unsent_messages_and_sends_them_in_order() {
    let server = product();
    let gate = Gate::before(&server).await;
    let ada = Window::in_general_behind(&gate, "Ada").await;
    gate.refuses("post /api/chat/", 503);
    ada.writes("first").await;
    ada.writes("second").await;
    ada.reloads().await;
    ada.is_connected().await;
    ada.until("both are still pending", &format!("{PENDING}.join() === 'first,second'")).await;
    gate.refuses_nothing();
    ada.reads("second").await;
    assert_eq!(ada.texts().await, ["first", "second"]);
    ada.until("nothing is stored any more", &format!("{KEPT} === 0")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_two_tabs_are_sent_once_though_one_tab_was_closed() {
    let mut server = product();
    let ada = Window::in_general_with_tabs(&server, "Ada").await;
    let (first, second) = ada.opens_a_tab("/rooms/general").await;
    ada.is_connected().await;
    server.kill();
    ada.has_status("waiting").await;
    ada.writes("from the second").await;
    ada.switches_to(&first).await;
    ada.until("the first tab shows it too", &format!("{PENDING}.join() === 'from the second'")).await;
    ada.writes("from the first").await;
    ada.switches_to(&second).await;
    ada.driver.close_window().await.unwrap();
    ada.switches_to(&first).await;
    server.restart();
    ada.reads("from the first").await;
    assert_eq!(ada.texts().await, ["from the second", "from the first"]);
    ada.until("nothing is pending", NOTHING_PENDING).await;
    assert_eq!(ada.evaluates::<u32>(KEPT).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_that_reconnect_together_send_nothing_twice() {
    let mut server = product();
    let ada = Window::in_general_with_tabs(&server, "Ada").await;
    let (first, second) = ada.opens_a_tab("/rooms/general").await;
    ada.is_connected().await;
    server.kill();
    for (number, tab) in [&first, &second, &first, &second].into_iter().enumerate() {
        ada.switches_to(tab).await;
        ada.has_status("waiting").await;
        ada.writes(&format!("line {number}")).await;
    }
    server.restart();
    for tab in [&first, &second] {
        ada.switches_to(tab).await;
        ada.reads("line 3").await;
        assert_eq!(ada.texts().await, ["line 0", "line 1", "line 2", "line 3"]);
        ada.until("nothing is pending", NOTHING_PENDING).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_while_typing_loses_neither_the_draft_nor_sent_messages() {
    let mut server = product();
    let ada = Window::in_general(&server, "Ada").await;
    ada.types("#composer", "half a").await;
    server.kill();
    ada.types("#composer", " line").await;
    ada.clicks("#send").await;
    ada.types("#composer", "and the next").await;
    server.restart();
    ada.reads("half a line").await;
    assert_eq!(ada.evaluates::<String>(DRAFT).await, "and the next");
    ada.reloads().await;
    ada.reads("half a line").await;
    assert_eq!(ada.evaluates::<String>(DRAFT).await, "and the next");
    ada.clicks("#send").await;
    ada.reads("and the next").await;
    ada.reloads().await;
    ada.reads("and the next").await;
    assert_eq!(ada.evaluates::<String>(DRAFT).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_refused_for_good_can_be_edited() {
    let mut server = product();
    let ada = Window::in_general(&server, "Ada").await;
    server.kill();
    ada.has_status("waiting").await;
    ada.writes(&"x".repeat(100)).await;
    server.restart_with(&["--payload-bytes-max", "50"]);
    ada.is_connected().await;
    ada.finds(".message.failed:not([data-seq])").await;
    ada.reloads().await;
    ada.is_connected().await;
    ada.clicks(".message.failed .message-edit").await;
    ada.until("the text is back in the field", &format!("{DRAFT}.length === 100")).await;
    ada.until("the message is gone", NOTHING_PENDING).await;
    ada.finds("#composer").await.clear().await.unwrap();
    ada.writes("shorter").await;
    ada.reads("shorter").await;
    assert_eq!(ada.texts().await, ["shorter"]);
}

/// Changes the time of the unsent message to 31 days earlier.
const MAKE_OLD: &str = "(() => {
    const name = Object.keys(localStorage).find(name => name.startsWith('duplex:post:'));
    const post = JSON.parse(localStorage.getItem(name));
    const at = post.findIndex(part => Number.isInteger(part) && part > 1e12);
    post[at] -= 31 * 24 * 60 * 60 * 1000;
    localStorage.setItem(name, JSON.stringify(post));
    return true;
})()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_older_than_a_month_is_kept_and_sent_once_its_author_confirms_it() {
    let server = product();
    let gate = Gate::before(&server).await;
    let ada = Window::in_general_behind(&gate, "Ada").await;
    gate.refuses("post /api/chat/", 503);
    ada.writes("of last month").await;
    ada.until("the message is stored", &format!("{KEPT} === 1")).await;
    // A page that is not part of the app, so that the message is not sent in the meantime.
    ada.visits(endpoint::OPENAPI).await;
    assert!(ada.evaluates::<bool>(MAKE_OLD).await);
    gate.refuses_nothing();
    ada.visits("/rooms/general").await;
    let is_shown = format!("{}?.includes('Written 31 days ago, not sent.')", words_of(".message-stage"));
    ada.until("the question is shown", &is_shown).await;
    ada.is_connected().await;
    for action in [".message-retry", ".message-edit", ".message-discard"] {
        ada.finds(action).await;
    }
    assert_eq!(ada.evaluates::<String>(&words_of(".message-retry")).await, "Send");
    // A new message neither waits for the old one nor sends it.
    ada.writes("of today").await;
    ada.reads("of today").await;
    assert_eq!(ada.texts().await, ["of today"]);
    ada.clicks(".message-retry").await;
    ada.reads("of last month").await;
    assert_eq!(ada.texts().await, ["of today", "of last month"]);
    ada.until("nothing is pending", NOTHING_PENDING).await;
    assert_eq!(ada.evaluates::<u32>(KEPT).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_ends_by_itself_counts_unsent_messages_and_takes_no_keys() {
    let server = product();
    let gate = Gate::before(&server).await;
    let ada = Window::in_general_behind(&gate, "Ada").await;
    gate.refuses("post /api/chat/", 503);
    ada.writes("for nobody").await;
    ada.finds(".message.pending").await;
    // Signs out without the page's knowledge, as deleting the cookies would.
    let _: Option<bool> = ada.evaluates("(fetch('/api/me', { method: 'DELETE' }), null)").await;
    ada.finds("#display-name").await;
    let is_shown = format!("{}?.includes('One message was not sent.')", words_of(".notices"));
    ada.until("the notice is shown", &is_shown).await;
    // A user who is typing a message must not go on typing into the name.
    assert!(ada.evaluates::<bool>("!document.activeElement.matches('input, textarea')").await);
    ada.clicks("#name-submit").await;
    ada.is_connected().await;
    ada.until("nothing is stored", &format!("{KEPT} === 0")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_warns_of_unsent_messages_and_leaves_nothing_to_the_next_user() {
    let server = product();
    let gate = Gate::before(&server).await;
    let ada = Window::in_general_behind(&gate, "Ada").await;
    gate.refuses("post /api/chat/", 503);
    ada.writes("for nobody").await;
    ada.types("#composer", "begun").await;
    ada.clicks("#user-menu").await;
    let is_shown = "document.querySelector('#sign-out-loss').innerText.includes('One message is not sent')";
    ada.until("the warning is shown", is_shown).await;
    ada.clicks("#sign-out").await;
    ada.finds("#display-name").await;
    gate.refuses_nothing();
    ada.enters_name("Eve").await;
    ada.is_connected().await;
    ada.is_in("general").await;
    ada.writes("by Eve").await;
    ada.reads("by Eve").await;
    assert_eq!(ada.texts().await, ["by Eve"]);
    assert_eq!(ada.evaluates::<u32>(KEPT).await, 0);
}
