//! What was written and not sent: it outlives the page, the tab and the server, and is there once in the end.

use super::NOTHING_UNSETTLED;
use crate::gate::Gate;
use crate::product;
use crate::window::Window;

const DRAFT: &str = "document.querySelector('#composer').value";
const KEPT: &str = "Object.keys(localStorage).filter(name => name.startsWith('duplex:post:')).length";
const PENDING: &str = "[...document.querySelectorAll('.message:not([data-seq]) .message-text')]\
                       .map(text => text.innerText)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_keeps_unsent_lines_and_sends_them_in_order() {
    let server = product();
    let gate = Gate::before(&server).await;
    let ada = Window::at(gate.url(), &[]).await;
    ada.signs_in("Ada", "/rooms/general").await;
    gate.refuses("post /api/chat/", 503);
    ada.writes("first").await;
    ada.writes("second").await;
    ada.reloads().await;
    ada.is_connected().await;
    ada.until("both are still there", &format!("{PENDING}.join() === 'first,second'")).await;
    gate.refuses_nothing();
    ada.reads("second").await;
    assert_eq!(ada.texts().await, ["first", "second"]);
    ada.until("nothing is kept any more", &format!("{KEPT} === 0")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_tabs_wrote_is_there_once_though_one_was_closed() {
    let mut server = product();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    let (first, second) = ada.opens_a_tab("/rooms/general").await;
    ada.is_connected().await;
    server.kill();
    ada.has_status("waiting").await;
    ada.writes("from the second").await;
    ada.turns_to(&first).await;
    ada.until("the first tab shows it too", &format!("{PENDING}.join() === 'from the second'")).await;
    ada.writes("from the first").await;
    ada.turns_to(&second).await;
    ada.driver.close_window().await.unwrap();
    ada.turns_to(&first).await;
    server.restart();
    ada.reads("from the first").await;
    assert_eq!(ada.texts().await, ["from the second", "from the first"]);
    ada.until("nothing is pending", NOTHING_UNSETTLED).await;
    assert_eq!(ada.tells::<u32>(KEPT).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_that_come_back_together_double_nothing() {
    let mut server = product();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    let (first, second) = ada.opens_a_tab("/rooms/general").await;
    ada.is_connected().await;
    server.kill();
    for (number, tab) in [&first, &second, &first, &second].into_iter().enumerate() {
        ada.turns_to(tab).await;
        ada.has_status("waiting").await;
        ada.writes(&format!("line {number}")).await;
    }
    server.restart();
    for tab in [&first, &second] {
        ada.turns_to(tab).await;
        ada.reads("line 3").await;
        assert_eq!(ada.texts().await, ["line 0", "line 1", "line 2", "line 3"]);
        ada.until("nothing is pending", NOTHING_UNSETTLED).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_while_typing_costs_neither_the_text_nor_what_was_sent() {
    let mut server = product();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    ada.types("#composer", "half a").await;
    server.kill();
    ada.types("#composer", " line").await;
    ada.clicks("#send").await;
    ada.types("#composer", "and the next").await;
    server.restart();
    ada.reads("half a line").await;
    assert_eq!(ada.tells::<String>(DRAFT).await, "and the next");
    ada.reloads().await;
    ada.reads("half a line").await;
    assert_eq!(ada.tells::<String>(DRAFT).await, "and the next");
    ada.clicks("#send").await;
    ada.reads("and the next").await;
    ada.reloads().await;
    ada.reads("and the next").await;
    assert_eq!(ada.tells::<String>(DRAFT).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_was_refused_for_good_can_be_edited() {
    let mut server = product();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    server.kill();
    server.restart_with(&["--payload-bytes-max", "50"]);
    ada.is_connected().await;
    ada.writes(&"x".repeat(100)).await;
    ada.finds(".message.failed:not([data-seq])").await;
    ada.reloads().await;
    ada.is_connected().await;
    ada.clicks(".message.failed .message-edit").await;
    ada.until("it is back in the field", &format!("{DRAFT}.length === 100")).await;
    ada.until("and nowhere else", NOTHING_UNSETTLED).await;
    ada.finds("#composer").await.clear().await.unwrap();
    ada.writes("shorter").await;
    ada.reads("shorter").await;
    assert_eq!(ada.texts().await, ["shorter"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_says_what_it_discards_and_leaves_nothing_to_the_next() {
    let server = product();
    let gate = Gate::before(&server).await;
    let ada = Window::at(gate.url(), &[]).await;
    ada.signs_in("Ada", "/rooms/general").await;
    gate.refuses("post /api/chat/", 503);
    ada.writes("for nobody").await;
    ada.types("#composer", "begun").await;
    ada.clicks("#user-menu").await;
    let told = "document.querySelector('#sign-out-loss').innerText.includes('One message is not sent')";
    ada.until("it is told", told).await;
    ada.clicks("#sign-out").await;
    ada.finds("#display-name").await;
    gate.refuses_nothing();
    ada.names_itself("Eve").await;
    ada.is_connected().await;
    ada.writes("by Eve").await;
    ada.reads("by Eve").await;
    assert_eq!(ada.texts().await, ["by Eve"]);
    assert_eq!(ada.tells::<u32>(KEPT).await, 0);
}
