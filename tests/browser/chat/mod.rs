//! The demo in real browsers: people in rooms, whatever happens to the server.

mod around;
mod clocks;
mod event_source;
mod hidden;
mod journey;
mod keyboard;
mod limits;
mod links;
mod long_room;
mod lost_server;
mod names;
mod place;
mod polling;
mod presence;
mod screens;
mod storage;
mod talk;
mod translation;
mod unread;
mod unsent;

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::json;
use shared::endpoint;
use shared::features::chat::messages;
use thirtyfour::Key;

use crate::gate::Gate;
use crate::support::{Person, TestServer};
use crate::window::Window;

/// The settled lines of the page, from top to bottom: seq and text.
pub(super) const LINES: &str = "[...document.querySelectorAll('.message[data-seq]')]\
                     .map(line => [Number(line.dataset.seq), line.querySelector('.message-text').textContent])";
/// Nothing that was written here waits any more.
pub(super) const NOTHING_UNSETTLED: &str = "!document.querySelector('.message:not([data-seq])')";
/// The text in the composer.
pub(super) const DRAFT: &str = "document.querySelector('#composer')?.value";
/// Keys go to the composer.
pub(super) const IN_COMPOSER: &str = "document.activeElement?.id === 'composer'";

/// The node writes so many lines in one commit.
const POSTED_AT_ONCE: usize = 16;

impl Window {
    /// A fresh browser whose person has come as a newcomer does: by the first page, into the room that is there from
    /// the start.
    pub(super) async fn in_general(server: &TestServer, name: &str) -> Window {
        let window = Window::of(server).await;
        window.enters_general(name).await;
        window.is_connected().await;
        window
    }

    /// The same in a browser with tabs that hide each other.
    pub(super) async fn in_general_with_tabs(server: &TestServer, name: &str) -> Window {
        let window = Window::with_tabs(server.url(), &[]).await;
        window.enters_general(name).await;
        window.is_connected().await;
        window
    }

    /// The same behind a gate.
    pub(super) async fn in_general_behind(gate: &Gate, name: &str) -> Window {
        let window = Window::at(gate.url()).await;
        window.enters_general(name).await;
        window
    }

    /// Goes in as a newcomer does.
    pub(super) async fn enters_general(&self, name: &str) {
        self.enters(name).await;
        self.is_in("general").await;
    }

    /// Goes to a room that is listed.
    pub(super) async fn follows(&self, room: &str) {
        self.clicks(&format!(".room-link[data-room='{room}']")).await;
        self.is_in(room).await;
    }

    /// Starts a room, or joins it, by the form of the lobby. Its name is this one with a dash for each space.
    pub(super) async fn starts_room(&self, typed: &str) {
        self.clicks(".brand").await;
        self.types("#room-name", typed).await;
        self.presses(Key::Enter).await;
        self.is_in(&typed.replace(' ', "-")).await;
    }

    /// Waits until the room is open, and has got what there is to read in it.
    pub(super) async fn is_in(&self, room: &str) {
        let is_here = format!("location.pathname === '/rooms/{room}' && document.querySelector('#composer')");
        self.until(&format!("the room {room} is open"), &is_here).await;
        let is_ready = "!/loading/i.test(document.querySelector('.room').innerText)";
        self.until(&format!("the room {room} is ready"), is_ready).await;
    }

    /// Writes a line with the keyboard, where the focus is.
    pub(super) async fn says(&self, text: &str) {
        self.until("the focus is in the composer", IN_COMPOSER).await;
        self.presses(text).await;
        self.presses(Key::Enter).await;
    }

    /// Puts the text that a JavaScript expression gives into the composer at once, as pasting does.
    pub(super) async fn pastes(&self, expression: &str) {
        let paste = format!(
            "(() => {{ const field = document.querySelector('#composer'); field.focus(); field.value = {expression};
            return field.dispatchEvent(new InputEvent('input', {{ bubbles: true, inputType: 'insertFromPaste' }})); }})()"
        );
        assert!(self.tells::<bool>(&paste).await);
    }

    /// Writes a line and sends it.
    pub(super) async fn writes(&self, text: &str) {
        self.types("textarea#composer", text).await;
        self.clicks("#send").await;
    }

    /// Waits until the last settled line is this one.
    pub(super) async fn reads(&self, text: &str) {
        let last = format!("{LINES}.at(-1)?.[1] === {}", json!(text));
        self.until(&format!("the last line is {text:?}"), &last).await;
    }

    pub(super) async fn lines(&self) -> Vec<(u64, String)> {
        self.tells(LINES).await
    }

    /// The texts, once they are checked to have the seqs from 1, each once and in order.
    pub(super) async fn texts(&self) -> Vec<String> {
        let lines = self.lines().await;
        let seqs: Vec<u64> = lines.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(seqs, (1..=lines.len() as u64).collect::<Vec<_>>());
        lines.into_iter().map(|(_, text)| text).collect()
    }
}

impl Person {
    /// Posts a line to a room by HTTP.
    pub(super) async fn posts(&self, room: &str, key: &str, text: &str) {
        let request = self.request(Method::POST, &messages(room)).header(endpoint::IDEMPOTENCY_KEY, key);
        let answer = self.ask(request.json(&json!({ "text": text }))).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// Posts lines `first..=last`, each of them called "line" and its number. The last one comes last, after all
    /// others, which are posted side by side.
    pub(super) async fn posts_lines(&self, room: &str, first: usize, last: usize) {
        let poster = &self.with_open_connections();
        let post = async |number| {
            poster.posts(room, &format!("{room}-{number}"), &format!("line {number}")).await;
        };
        stream::iter(first..last).for_each_concurrent(POSTED_AT_ONCE, post).await;
        post(last).await;
    }
}
