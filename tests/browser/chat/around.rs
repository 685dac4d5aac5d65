//! Navigation: the lobby, links, older messages, a hidden tab.

use thirtyfour::Key;

use super::MESSAGES;
use crate::product;
use crate::window::{Window, words_of};

const RULE: &str = "Use a–z, 0–9, - or _ (up to 63), starting with a letter or digit.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lobby_leads_into_rooms() {
    let server = product();
    server.guest("Joan").await.posts("general", "k", "come in").await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.clicks(".brand").await;
    let shown = "document.querySelector('a.room-link[data-room=\"general\"]')?.innerText.includes('come in')";
    ada.until("the room is listed with its last message", shown).await;
    let is_hinted =
        "document.querySelector('main').innerText.includes('Pick one on the left, or start a new one.')";
    ada.until("the hint is shown", is_hinted).await;
    ada.follows("general").await;
    ada.reads("come in").await;
    ada.starts_room("brand new").await;
    ada.writes("first here").await;
    ada.reads("first here").await;
    ada.is_calm().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typed_room_name_is_made_valid_and_refused_if_nothing_is_left_of_it() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    ada.clicks(".brand").await;
    ada.types("#room-name", "!!!").await;
    ada.presses(Key::Enter).await;
    let rule = format!("{} === '{RULE}'", words_of("#room-problem"));
    ada.until("the rule is shown", &rule).await;
    ada.finds("#room-name").await.clear().await.unwrap();
    ada.types("#room-name", "Straße & Café").await;
    let preview = format!("{}?.includes('strasse-cafe')", words_of("#room-rule"));
    ada.until("the future name is shown", &preview).await;
    ada.clicks("#room-open").await;
    ada.is_in("strasse-cafe").await;
    ada.visits("/rooms/Not%20A%20Room!").await;
    let is_shown = format!("{} === \"That isn't a valid room name\"", words_of("h1"));
    ada.until("the error of the address is shown", &is_shown).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deep_link_leads_to_its_room_also_for_a_new_user() {
    let server = product();
    server.guest("Joan").await.posts("weekend-plans", "k", "already here").await;
    let ada = Window::signed_in(&server, "Ada", "/rooms/weekend-plans").await;
    ada.reads("already here").await;
    assert_eq!(ada.evaluates::<String>("location.pathname").await, "/rooms/weekend-plans");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrolling_up_loads_older_messages_without_moving_the_text() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts_messages("general", 1, 250).await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("line 250").await;
    let first = ada.messages().await[0].0;
    assert!(first > 100, "all messages were loaded at once");

    let place =
        format!("document.querySelector('.message[data-seq=\"{first}\"]').getBoundingClientRect().top");
    let up = "document.querySelector('#timeline').scrollTop = 0";
    let before: f64 = ada.evaluates(&format!("({up}, {place})")).await;
    ada.until("older messages are loaded", &format!("{MESSAGES}[0][0] < {first}")).await;
    // The scroll offset is corrected before the next frame: no state in between is painted.
    let painted = format!("requestAnimationFrame(() => requestAnimationFrame(() => done({place})))");
    let moved = ada.evaluates::<f64>(&format!("new Promise(done => {painted})")).await - before;
    assert!(moved.abs() < 40.0, "the message at the top moved by {moved} px");

    ada.until("the first message is loaded", &format!("({up}, {MESSAGES}[0][0] === 1)")).await;
    assert_eq!(ada.texts().await.len(), 250);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_tab_counts_new_messages_in_its_title() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts("general", "k0", "already here").await;
    let ada = Window::in_general_with_tabs(&server, "Ada").await;
    ada.reads("already here").await;
    ada.is_hidden_by_a_tab().await;
    joan.posts("general", "k1", "one").await;
    joan.posts("general", "k2", "two").await;
    ada.until("the title shows the count", "document.title.startsWith('(2) ')").await;
}
