//! Finding one's way: lobby, links, history, tabs in the background.

use thirtyfour::Key;

use super::LINES;
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
    ada.until("the room is listed with its last line", shown).await;
    let said =
        "document.querySelector('main').innerText.includes('Pick one on the left, or start a new one.')";
    ada.until("it is told what to do", said).await;
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
    ada.until("the rule is told", &rule).await;
    ada.finds("#room-name").await.clear().await.unwrap();
    ada.types("#room-name", "Straße & Café").await;
    let preview = format!("{}?.includes('strasse-cafe')", words_of("#room-rule"));
    ada.until("it is told what the room will be called", &preview).await;
    ada.clicks("#room-open").await;
    ada.is_in("strasse-cafe").await;
    ada.visits("/rooms/Not%20A%20Room!").await;
    let told = format!("{} === \"That isn't a valid room name\"", words_of("h1"));
    ada.until("an address with a bad name says so", &told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deep_link_leads_to_its_room_also_for_a_new_user() {
    let server = product();
    server.guest("Joan").await.posts("weekend-plans", "k", "already here").await;
    let ada = Window::signed_in(&server, "Ada", "/rooms/weekend-plans").await;
    ada.reads("already here").await;
    assert_eq!(ada.tells::<String>("location.pathname").await, "/rooms/weekend-plans");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrolling_up_loads_older_messages_without_moving_the_text() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts_lines("general", 1, 250).await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("line 250").await;
    let first = ada.lines().await[0].0;
    assert!(first > 100, "all were loaded at once");

    let place =
        format!("document.querySelector('.message[data-seq=\"{first}\"]').getBoundingClientRect().top");
    let up = "document.querySelector('#timeline').scrollTop = 0";
    let before: f64 = ada.tells(&format!("({up}, {place})")).await;
    ada.until("older lines are there", &format!("{LINES}[0][0] < {first}")).await;
    // What comes above is made up for before the next frame: nobody is painted the place in between.
    let painted = format!("requestAnimationFrame(() => requestAnimationFrame(() => done({place})))");
    let moved = ada.tells::<f64>(&format!("new Promise(done => {painted})")).await - before;
    assert!(moved.abs() < 40.0, "the line that was on top moved by {moved} px");

    ada.until("the first line is there", &format!("({up}, {LINES}[0][0] === 1)")).await;
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
    ada.until("the title counts", "document.title.startsWith('(2) ')").await;
}
