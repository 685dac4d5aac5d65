//! The scroll position, when a user comes back to a room or was away from its end.

use thirtyfour::Key;

use super::{IN_COMPOSER, MESSAGES};
use crate::product;
use crate::window::Window;

/// The first message in sight: its seq, and its distance from the upper edge of the list.
const PLACE: &str = "(() => {
    const top = document.querySelector('#timeline').getBoundingClientRect().top;
    const lines = [...document.querySelectorAll('.message[data-seq]')];
    const line = lines.find(line => line.getBoundingClientRect().bottom > top);
    return [Number(line.dataset.seq), line.getBoundingClientRect().top - top];
})()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn going_back_restores_the_scroll_position_also_among_older_messages() {
    let server = product();
    server.guest("Joan").await.posts_messages("general", 1, 250).await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("line 250").await;
    let up = "document.querySelector('#timeline').scrollTop = 0";
    ada.until("older messages are loaded", &format!("({up}, {MESSAGES}[0][0] < 100)")).await;
    // Scrolling in the very frame in which older messages arrive is undone, so it is repeated.
    let to_line_120 = "document.querySelector('.message[data-seq=\"120\"]').scrollIntoView()";
    let is_on_top = format!("{PLACE}[0] >= 119 && {PLACE}[0] <= 120");
    let looks = format!("window.looks = {is_on_top} ? (window.looks ?? 0) + 1 : ({to_line_120}, 0)");
    ada.until("message 120 stays at the top", &format!("({looks}) > 5")).await;
    let (seq, below): (u64, f64) = ada.evaluates(PLACE).await;
    ada.starts_room("tea").await;
    ada.driver.back().await.unwrap();
    ada.driver.back().await.unwrap();
    ada.is_in("general").await;
    let is_there = format!("{PLACE}[0] === {seq} && Math.abs({PLACE}[1] - {below}) < 8");
    ada.until("the same message is at the top", &is_there).await;
    ada.finds(".jump").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_jump_button_counts_new_messages_and_leads_to_the_composer() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts_messages("general", 1, 60).await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("line 60").await;
    ada.clicks("#timeline").await;
    ada.presses_until(Key::PageUp, "the list has left the end", "document.querySelector('.jump')").await;
    joan.posts_messages("general", 61, 62).await;
    let is_shown = "document.querySelector('.jump')?.innerText.includes('2 new messages')";
    ada.until("the button counts the new messages", is_shown).await;
    ada.clicks(".jump").await;
    ada.until("the focus is in the composer", IN_COMPOSER).await;
    ada.until("the list is at the end", "!document.querySelector('.jump')").await;
    joan.posts_messages("general", 63, 63).await;
    let in_sight = "document.querySelector('.message[data-seq=\"63\"]')?.getBoundingClientRect().bottom \
                    <= document.querySelector('#timeline').getBoundingClientRect().bottom";
    ada.until("the new message is in sight", in_sight).await;
}
