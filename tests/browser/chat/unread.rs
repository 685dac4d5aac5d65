//! Unread messages: counted beside the room, marked in it, and still known after a reload.

use super::MESSAGES;
use crate::product;
use crate::window::Window;

/// The seq of the message below the mark "New"; null while there is no mark.
const FIRST_NEW: &str = "(() => {
    const isMark = piece => !piece.children.length && piece.textContent.trim() === 'New';
    const mark = [...document.querySelectorAll('#timeline *')].find(isMark);
    const isBelow = line => mark.compareDocumentPosition(line) & Node.DOCUMENT_POSITION_FOLLOWING;
    const below = mark && [...document.querySelectorAll('.message[data-seq]')].find(isBelow);
    return below ? Number(below.dataset.seq) : null;
})()";

impl Window {
    /// Waits until this unread count is shown beside the room.
    pub(super) async fn sees_unread(&self, room: &str, count: u32) {
        let badge = format!("document.querySelector('[data-room={room}] .room-link-unread')");
        let is_shown = match count {
            0 => format!("document.querySelector('[data-room={room}]') && !{badge}"),
            _ => format!("{badge}?.firstChild.textContent === '{count}'"),
        };
        self.until(&format!("{count} are unread in {room}"), &is_shown).await;
    }

    /// Waits until the mark "New" is above this message.
    pub(super) async fn sees_new_from(&self, seq: u64) {
        self.until(&format!("message {seq} is the first new one"), &format!("{FIRST_NEW} === {seq}")).await;
    }

    /// Waits until all of the message is in sight.
    async fn sees_whole_message(&self, seq: u64) {
        let in_sight = format!(
            "(() => {{
                const [line, list] = ['.message[data-seq=\"{seq}\"]', '#timeline']
                    .map(css => document.querySelector(css).getBoundingClientRect());
                return line.height > 0 && line.top >= list.top && line.bottom <= list.bottom;
            }})()"
        );
        self.until(&format!("message {seq} is in sight"), &in_sight).await;
    }

    pub(super) async fn sees_nothing_new(&self) {
        self.until("nothing is marked as new", &format!("{FIRST_NEW} === null")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_messages_are_counted_across_a_reload_and_marked_in_the_room() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts_messages("general", 1, 5).await;
    joan.posts_messages("tea", 1, 1).await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("line 5").await;
    ada.sees_nothing_new().await;
    ada.starts_room("tea").await;
    ada.sees_unread("general", 0).await;
    joan.posts_messages("general", 6, 8).await;
    ada.sees_unread("general", 3).await;
    ada.reloads().await;
    ada.sees_unread("general", 3).await;
    // The page is closed for a while.
    ada.driver.goto("about:blank").await.unwrap();
    joan.posts_messages("general", 9, 9).await;
    ada.visits("/rooms/tea").await;
    ada.sees_unread("general", 4).await;

    ada.follows("general").await;
    ada.sees_new_from(6).await;
    ada.sees_unread("general", 0).await;
    // The mark stays while the room is open; own messages are never new.
    ada.writes("mine").await;
    ada.reads("mine").await;
    ada.sees_new_from(6).await;
    ada.follows("tea").await;
    ada.sees_unread("general", 0).await;
    ada.follows("general").await;
    ada.sees_nothing_new().await;
    ada.reloads().await;
    ada.reads("mine").await;
    ada.sees_nothing_new().await;
    ada.sees_unread("general", 0).await;
    // A message that arrives in sight is not new.
    joan.posts_messages("general", 10, 10).await;
    ada.reads("line 10").await;
    ada.sees_nothing_new().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_of_many_new_messages_is_in_sight_and_the_rest_is_counted() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts_messages("general", 1, 20).await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("line 20").await;
    ada.starts_room("tea").await;
    joan.posts_messages("general", 21, 80).await;
    ada.sees_unread("general", 60).await;
    ada.follows("general").await;
    ada.sees_new_from(21).await;
    ada.sees_whole_message(21).await;
    let is_shown = "document.querySelector('.jump')?.innerText.includes('60 new messages')";
    ada.until("the button counts the new messages", is_shown).await;
    ada.clicks(".jump").await;
    ada.sees_unread("general", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_messages_that_begin_on_an_earlier_page_are_scrolled_into_view() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts_messages("general", 1, 1).await;
    let rooms = [("few", 3), ("some", 25), ("many", 60)];
    for (room, known) in rooms {
        joan.posts_messages(room, 1, known).await;
    }
    let ada = Window::in_general(&server, "Ada").await;
    for (room, known) in rooms {
        ada.follows(room).await;
        ada.reads(&format!("line {known}")).await;
        ada.follows("general").await;
        joan.posts_messages(room, known + 1, known + 120).await;
        ada.sees_unread(room, 120).await;
        ada.follows(room).await;
        let first = known + 1;
        ada.sees_new_from(first as u64).await;
        ada.sees_whole_message(first as u64).await;
        ada.clicks(".jump").await;
        ada.sees_unread(room, 0).await;
        ada.follows("general").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_came_while_the_tab_was_hidden_are_marked_as_new() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts("general", "k0", "seen").await;
    let ada = Window::in_general_with_tabs(&server, "Ada").await;
    ada.reads("seen").await;
    let first = ada.driver.window().await.unwrap();
    ada.is_hidden_by_a_tab().await;
    joan.posts("general", "k1", "unseen").await;
    ada.until("the message has arrived", &format!("{MESSAGES}.length === 2")).await;
    let tabs = ada.driver.windows().await.unwrap();
    ada.switches_to(tabs.iter().find(|tab| **tab != first).unwrap()).await;
    ada.driver.close_window().await.unwrap();
    ada.switches_to(&first).await;
    ada.sees_new_from(2).await;
}
