//! Finding one's way: lobby, links, keyboard, history, tabs in the background.

use thirtyfour::Key;

use super::LINES;
use crate::product;
use crate::window::Window;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lobby_leads_into_rooms() {
    let server = product();
    server.guest("Joan").await.posts("general", "k", "come in").await;
    let ada = Window::signed_in(&server, "Ada", "/").await;
    let shown = "document.querySelector('a.room-link[data-room=\"general\"]')?.innerText.includes('come in')";
    ada.until("the room is listed with its last line", shown).await;
    ada.clicks("a.room-link[data-room='general']").await;
    ada.reads("come in").await;
    ada.driver.back().await.unwrap();
    ada.types("input#room-name", "brand-new").await;
    ada.clicks("#room-open").await;
    ada.writes("first here").await;
    ada.reads("first here").await;
    assert_eq!(ada.tells::<String>("location.pathname").await, "/rooms/brand-new");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deep_link_leads_to_its_room_also_for_who_has_no_name_yet() {
    let server = product();
    server.guest("Joan").await.posts("weekend-plans", "k", "already here").await;
    let ada = Window::signed_in(&server, "Ada", "/rooms/weekend-plans").await;
    ada.reads("already here").await;
    assert_eq!(ada.tells::<String>("location.pathname").await, "/rooms/weekend-plans");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_can_be_done_with_the_keyboard_alone() {
    let server = product();
    let ada = Window::of(&server).await;
    ada.visits("/").await;
    ada.finds("#display-name").await;
    ada.tabs_to("#display-name").await;
    ada.presses("Ada").await;
    ada.presses(Key::Enter).await;
    ada.finds("#room-name").await;
    ada.tabs_to("#room-name").await;
    ada.presses("general").await;
    ada.presses(Key::Enter).await;
    ada.finds("#composer").await;
    ada.tabs_to("#composer").await;
    ada.presses("one line").await;
    let shift_enter = ada.driver.action_chain().key_down(Key::Shift).send_keys(Key::Enter).key_up(Key::Shift);
    shift_enter.perform().await.unwrap();
    ada.presses("and another").await;
    ada.presses(Key::Enter).await;
    ada.reads("one line\nand another").await;
    ada.presses("goes on").await;
    ada.presses(Key::Enter).await;
    ada.reads("goes on").await;
    ada.tabs_to("#user-menu").await;
    ada.presses(Key::Enter).await;
    ada.tabs_to("#sign-out").await;
    ada.presses(Key::Enter).await;
    ada.finds("#display-name").await;
}

impl Window {
    /// Presses Tab until this has the focus.
    async fn tabs_to(&self, css: &str) {
        let is_focused = format!("document.activeElement?.matches('{css}')");
        for _ in 0..60 {
            if self.tells::<bool>(&is_focused).await {
                return;
            }
            self.presses(Key::Tab).await;
        }
        panic!("{css} cannot be reached with Tab");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrolling_up_brings_older_lines_and_the_text_does_not_jump() {
    let server = product();
    let joan = server.guest("Joan").await;
    for number in 1..=250 {
        joan.posts("general", &format!("k{number}"), &format!("line {number}")).await;
    }
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
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
async fn a_hidden_tab_counts_what_comes_in_its_title() {
    let server = product();
    let joan = server.guest("Joan").await;
    joan.posts("general", "k0", "already here").await;
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    ada.reads("already here").await;
    let _: Option<bool> = ada.tells("(window.open('about:blank'), null)").await;
    ada.until("the tab is hidden", "document.hidden").await;
    joan.posts("general", "k1", "one").await;
    joan.posts("general", "k2", "two").await;
    ada.until("the title counts", "document.title.startsWith('(2) ')").await;
}
