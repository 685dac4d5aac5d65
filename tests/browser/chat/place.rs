//! The reader's place in a room, when they come back to it.

use thirtyfour::Key;

use super::{IN_COMPOSER, LINES};
use crate::product;
use crate::window::Window;

/// The first line in sight: its seq, and how far it stands below the upper edge.
const PLACE: &str = "(() => {
    const top = document.querySelector('#timeline').getBoundingClientRect().top;
    const lines = [...document.querySelectorAll('.message[data-seq]')];
    const line = lines.find(line => line.getBoundingClientRect().bottom > top);
    return [Number(line.dataset.seq), line.getBoundingClientRect().top - top];
})()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn going_back_restores_the_scroll_position_also_among_older_messages() {
    let server = product();
    server.guest("Joan").await.posts_lines("general", 1, 250).await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("line 250").await;
    let up = "document.querySelector('#timeline').scrollTop = 0";
    ada.until("older lines are there", &format!("({up}, {LINES}[0][0] < 100)")).await;
    // Whoever scrolls in the very frame in which older lines come in is put back, and scrolls again.
    let to_line_120 = "document.querySelector('.message[data-seq=\"120\"]').scrollIntoView()";
    let is_on_top = format!("{PLACE}[0] >= 119 && {PLACE}[0] <= 120");
    let looks = format!("window.looks = {is_on_top} ? (window.looks ?? 0) + 1 : ({to_line_120}, 0)");
    ada.until("line 120 stays on top", &format!("({looks}) > 5")).await;
    let (seq, below): (u64, f64) = ada.tells(PLACE).await;
    ada.starts_room("tea").await;
    ada.driver.back().await.unwrap();
    ada.driver.back().await.unwrap();
    ada.is_in("general").await;
    let is_there = format!("{PLACE}[0] === {seq} && Math.abs({PLACE}[1] - {below}) < 8");
    ada.until("the same line is on top", &is_there).await;
    ada.finds(".jump").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_jump_button_counts_new_messages_and_leads_to_the_composer() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts_lines("general", 1, 60).await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("line 60").await;
    ada.clicks("#timeline").await;
    ada.presses_until(Key::PageUp, "one is no longer at the end", "document.querySelector('.jump')").await;
    joan.posts_lines("general", 61, 62).await;
    let told = "document.querySelector('.jump')?.innerText.includes('2 new messages')";
    ada.until("it tells what came", told).await;
    ada.clicks(".jump").await;
    ada.until("the focus is in the composer", IN_COMPOSER).await;
    ada.until("one is at the end", "!document.querySelector('.jump')").await;
    joan.posts_lines("general", 63, 63).await;
    let in_sight = "document.querySelector('.message[data-seq=\"63\"]')?.getBoundingClientRect().bottom \
                    <= document.querySelector('#timeline').getBoundingClientRect().bottom";
    ada.until("what comes is in sight", in_sight).await;
}
