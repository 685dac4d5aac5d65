//! The demo in real browsers: people in rooms, whatever happens to the server.

use reqwest::Method;
use serde_json::json;
use shared::features::chat::messages;
use shared::endpoint;
use thirtyfour::Key;

use crate::duplex;
use crate::support::Person;
use crate::window::Window;

/// The settled lines of the page, from top to bottom: seq and text.
const LINES: &str = "[...document.querySelectorAll('.message[data-seq]')]\
                     .map(line => [Number(line.dataset.seq), line.querySelector('.message-text').innerText])";

impl Window {
    /// Writes a line and sends it.
    async fn writes(&self, text: &str) {
        self.types("textarea#composer", text).await;
        self.clicks("#send").await;
    }

    /// Waits until the last settled line is this one.
    async fn reads(&self, text: &str) {
        let last = format!("{LINES}.at(-1)?.[1] === {}", json!(text));
        self.until(&format!("the last line is {text:?}"), &last).await;
    }

    async fn lines(&self) -> Vec<(u64, String)> {
        self.tells(LINES).await
    }

    /// The texts, once they are checked to have the seqs from 1, each once and in order.
    async fn texts(&self) -> Vec<String> {
        let lines = self.lines().await;
        let seqs: Vec<u64> = lines.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(seqs, (1..=lines.len() as u64).collect::<Vec<_>>());
        lines.into_iter().map(|(_, text)| text).collect()
    }
}

impl Person {
    /// Posts a line to a room by HTTP.
    async fn posts(&self, room: &str, key: &str, text: &str) {
        let request = self.request(Method::POST, &messages(room)).header(endpoint::IDEMPOTENCY_KEY, key);
        let answer = self.ask(request.json(&json!({ "text": text }))).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
}

const NOTHING_UNSETTLED: &str = "!document.querySelector('.message:not([data-seq])')";

#[tokio::test]
async fn what_one_writes_the_other_reads() {
    let server = duplex();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    let grace = Window::signed_in(&server, "Grace", "/rooms/general").await;
    ada.writes("hello, Grace").await;
    grace.reads("hello, Grace").await;
    grace.writes("hello, Ada").await;
    ada.reads("hello, Ada").await;

    for window in [&ada, &grace] {
        assert_eq!(window.texts().await, ["hello, Grace", "hello, Ada"]);
        window.until("nothing is pending", NOTHING_UNSETTLED).await;
    }
    let own = "[...document.querySelectorAll('.message')].map(line => line.classList.contains('own'))";
    assert_eq!(ada.tells::<Vec<bool>>(own).await, [true, false]);
    assert_eq!(grace.tells::<Vec<bool>>(own).await, [false, true]);
    let authors = "[...document.querySelectorAll('.message-author')].map(author => author.textContent)";
    assert_eq!(ada.tells::<Vec<String>>(authors).await, ["Ada", "Grace"]);
}

#[tokio::test]
async fn a_reload_keeps_the_history() {
    let server = duplex();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    ada.writes("first").await;
    ada.reads("first").await;
    ada.writes("second").await;
    ada.reads("second").await;
    ada.reloads().await;
    ada.reads("second").await;
    assert_eq!(ada.texts().await, ["first", "second"]);
}

#[tokio::test]
async fn after_kill_9_and_restart_both_pages_catch_up_by_themselves() {
    let mut server = duplex();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    let grace = Window::signed_in(&server, "Grace", "/rooms/general").await;
    ada.writes("before").await;
    grace.reads("before").await;
    server.kill();
    ada.has_status("waiting").await;
    grace.has_status("waiting").await;
    server.restart();
    let joan = server.guest("Joan").await;
    for number in 1..=20 {
        joan.posts("general", &format!("k{number}"), &format!("meanwhile {number}")).await;
    }
    ada.is_connected().await;
    ada.writes("after").await;

    for window in [&ada, &grace] {
        window.reads("after").await;
        let texts = window.texts().await;
        assert_eq!((texts.len(), texts[0].as_str(), texts[20].as_str()), (22, "before", "meanwhile 20"));
    }
}

#[tokio::test]
async fn what_is_written_while_the_server_is_away_is_sent_once_it_returns() {
    let mut server = duplex();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    let grace = Window::signed_in(&server, "Grace", "/rooms/general").await;
    server.kill();
    ada.has_status("waiting").await;
    ada.writes("into the dark").await;
    ada.finds(".message.pending:not([data-seq])").await;
    server.restart();
    for window in [&ada, &grace] {
        window.reads("into the dark").await;
        assert_eq!(window.texts().await, ["into the dark"]);
        window.until("nothing is pending", NOTHING_UNSETTLED).await;
    }
}

#[tokio::test]
async fn what_is_written_while_the_server_is_away_survives_a_reload() {
    let mut server = duplex();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    server.kill();
    ada.has_status("waiting").await;
    ada.writes("kept").await;
    ada.finds(".message.pending").await;
    server.restart();
    ada.reloads().await;
    ada.reads("kept").await;
    assert_eq!(ada.texts().await, ["kept"]);
}

#[tokio::test]
async fn a_line_that_was_refused_for_good_can_be_tried_again() {
    let mut server = duplex();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    server.kill();
    server.restart_with(&["--payload-bytes-max", "50"]);
    ada.is_connected().await;
    let long = "x".repeat(100);
    ada.writes(&long).await;
    ada.finds(".message.failed:not([data-seq])").await;
    server.kill();
    server.restart();
    ada.is_connected().await;
    ada.clicks(".message.failed .message-retry").await;
    ada.reads(&long).await;
    assert_eq!(ada.texts().await.len(), 1);
}

#[tokio::test]
async fn a_deep_link_leads_to_its_room_also_for_who_has_no_name_yet() {
    let server = duplex();
    server.guest("Joan").await.posts("weekend-plans", "k", "already here").await;
    let ada = Window::signed_in(&server, "Ada", "/rooms/weekend-plans").await;
    ada.reads("already here").await;
    assert_eq!(ada.tells::<String>("location.pathname").await, "/rooms/weekend-plans");
}

#[tokio::test]
async fn the_lobby_leads_into_rooms() {
    let server = duplex();
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

#[tokio::test]
async fn everything_can_be_done_with_the_keyboard_alone() {
    let server = duplex();
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

#[tokio::test]
async fn a_new_name_is_on_new_lines_only() {
    let server = duplex();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    let grace = Window::signed_in(&server, "Grace", "/rooms/general").await;
    ada.writes("as Ada").await;
    grace.reads("as Ada").await;
    ada.clicks("#user-menu").await;
    ada.clicks("#rename").await;
    ada.finds("dialog[open] #display-name").await.clear().await.unwrap();
    ada.names_itself("Countess").await;
    ada.until("it is taken", "document.querySelector('#user-menu').innerText.includes('Countess')").await;
    ada.writes("as Countess").await;
    grace.reads("as Countess").await;
    let authors = "[...document.querySelectorAll('.message-author')].map(author => author.textContent)";
    assert_eq!(grace.tells::<Vec<String>>(authors).await, ["Ada", "Countess"]);
}

#[tokio::test]
async fn scrolling_up_brings_older_lines_and_the_text_does_not_jump() {
    let server = duplex();
    let joan = server.guest("Joan").await;
    for number in 1..=250 {
        joan.posts("general", &format!("k{number}"), &format!("line {number}")).await;
    }
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    ada.reads("line 250").await;
    let first = ada.lines().await[0].0;
    assert!(first > 100, "all were loaded at once");

    let place = format!("document.querySelector('.message[data-seq=\"{first}\"]').getBoundingClientRect().top");
    let _: Option<bool> = ada.tells("(() => { document.querySelector('#timeline').scrollTop = 0 })()").await;
    let before: f64 = ada.tells(&place).await;
    ada.until("older lines are there", &format!("{LINES}[0][0] < {first}")).await;
    let moved = ada.tells::<f64>(&place).await - before;
    assert!(moved.abs() < 40.0, "the line that was on top moved by {moved} px");

    let up = "(document.querySelector('#timeline').scrollTop = 0, true)";
    ada.until("the first line is there", &format!("{up} && {LINES}[0][0] === 1")).await;
    assert_eq!(ada.texts().await.len(), 250);
}

#[tokio::test]
async fn a_hidden_tab_counts_what_comes_in_its_title() {
    let server = duplex();
    let ada = Window::signed_in(&server, "Ada", "/rooms/general").await;
    let first = ada.driver.window().await.unwrap();
    let second = ada.driver.new_tab().await.unwrap();
    ada.driver.switch_to_window(second).await.unwrap();
    ada.driver.switch_to_window(first).await.unwrap();
    ada.until("the tab is hidden", "document.hidden").await;
    let joan = server.guest("Joan").await;
    joan.posts("general", "k1", "one").await;
    joan.posts("general", "k2", "two").await;
    ada.until("the title counts", "document.title.startsWith('(2) ')").await;
}
