//! The members of a room, and those who are typing.

use std::time::{Duration, Instant};

use thirtyfour::Key;

use crate::product;
use crate::window::{Window, words_of};

const COUNT: &str = "document.querySelector('#members:not([hidden]) #member-count')?.innerText";
/// The time within which typing ends at once: by a signal that it has stopped. Without one it ends after five seconds.
const AT_ONCE: Duration = Duration::from_secs(3);

/// Records every number of members that is shown from now on.
const WATCH: &str = "(() => {
    window.counts = [];
    const note = () => window.counts.push(document.querySelector('#members').innerText);
    new MutationObserver(note).observe(document.querySelector('.room-head'),
        { subtree: true, childList: true, characterData: true, attributes: true });
})()";

impl Window {
    pub(super) async fn sees_members(&self, count: u32) {
        self.until(&format!("{count} members are shown"), &format!("{COUNT} === '{count}'")).await;
    }

    /// Waits until the line below the messages has this text.
    pub(super) async fn sees_typing(&self, words: &str) {
        let is_shown = format!("{} === '{words}'", words_of("#typing"));
        self.until(&format!("the typing indicator shows {words:?}"), &is_shown).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_shows_its_members_and_two_tabs_are_one_member() {
    let server = product();
    let ada = Window::in_general(&server, "Ada King").await;
    ada.sees_members(1).await;
    let grace = Window::in_general_with_tabs(&server, "Grace").await;
    ada.sees_members(2).await;
    let names = format!("{} === 'You and Ada'", words_of(".member-names"));
    grace.until("the members are named", &names).await;
    let (first, _) = grace.opens_a_tab("/rooms/general").await;
    grace.sees_members(2).await;
    ada.clicks("#members").await;
    let listed = "document.querySelector('#member-list').innerText.includes('2 windows')";
    ada.until("the list shows two windows", listed).await;
    ada.sees_members(2).await;
    grace.driver.close_window().await.unwrap();
    grace.switches_to(&first).await;
    grace.clicks(".room-head .back, .brand").await;
    ada.sees_members(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_does_not_look_like_leaving() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    let grace = Window::in_general(&server, "Grace").await;
    ada.sees_members(2).await;
    let _: Option<bool> = ada.evaluates(WATCH).await;
    for _ in 0..3 {
        grace.reloads().await;
        grace.is_connected().await;
        grace.sees_members(2).await;
    }
    // This message arrives after everything that the reloads may have caused.
    grace.writes("back").await;
    ada.reads("back").await;
    let counts: Vec<String> = ada.evaluates("window.counts").await;
    assert!(counts.iter().all(|shown| shown.starts_with('2')), "Ada saw {counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_members_are_shown_while_the_connection_is_lost() {
    let mut server = product();
    let ada = Window::in_general(&server, "Ada").await;
    ada.sees_members(1).await;
    server.kill();
    ada.has_status("waiting").await;
    ada.until("the count is gone", &format!("{COUNT} === undefined")).await;
    server.restart();
    ada.is_connected().await;
    ada.sees_members(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lobby_counts_the_members_of_a_room_without_being_one() {
    let server = product();
    server.guest("Joan").await.posts("general", "k", "come in").await;
    let ada = Window::entered(&server, "Ada").await;
    ada.clicks(".brand").await;
    let count = "document.querySelector('[data-room=general] .room-link-online')?.firstChild.textContent";
    let nobody = format!("document.querySelector('[data-room=general]') && {count} === undefined");
    ada.until("the room is empty", &nobody).await;
    let grace = Window::in_general(&server, "Grace").await;
    ada.until("one member is counted", &format!("{count} === '1'")).await;
    grace.sees_members(1).await;
    grace.clicks(".brand").await;
    ada.until("the room is empty again", &nobody).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typing_is_shown_to_others_only_until_the_message_arrives() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    let grace = Window::in_general(&server, "Grace").await;
    ada.sees_members(2).await;
    grace.types("#composer", "thinking aloud").await;
    ada.sees_typing("Grace is typing…").await;
    assert_eq!(grace.evaluates::<String>(&words_of("#typing")).await, "");
    grace.clicks("#send").await;
    ada.reads("thinking aloud").await;
    ada.sees_typing("").await;
    // Without further keys, typing ends by itself.
    grace.types("#composer", "or not").await;
    ada.sees_typing("Grace is typing…").await;
    ada.sees_typing("").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typing_ends_when_the_text_is_deleted_or_the_member_leaves() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    let grace = Window::in_general(&server, "Grace").await;
    ada.sees_members(2).await;
    grace.types("#composer", "x").await;
    ada.sees_typing("Grace is typing…").await;
    let begun = Instant::now();
    grace.presses(Key::Backspace).await;
    ada.sees_typing("").await;
    assert!(begun.elapsed() < AT_ONCE, "after the text was deleted it took {:?}", begun.elapsed());
    grace.types("#composer", "y").await;
    ada.sees_typing("Grace is typing…").await;
    let begun = Instant::now();
    grace.clicks(".brand").await;
    ada.sees_typing("").await;
    assert!(begun.elapsed() < AT_ONCE, "after she left it took {:?}", begun.elapsed());
}
