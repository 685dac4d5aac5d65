//! The chat in real browsers.

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

/// The settled messages of the page, from top to bottom: seq and text.
pub(super) const MESSAGES: &str = "[...document.querySelectorAll('.message[data-seq]')]\
                     .map(line => [Number(line.dataset.seq), line.querySelector('.message-text').textContent])";
/// True if no message of this page is pending.
pub(super) const NOTHING_PENDING: &str = "!document.querySelector('.message:not([data-seq])')";
/// The text in the composer.
pub(super) const DRAFT: &str = "document.querySelector('#composer')?.value";
/// True if the composer has the focus.
pub(super) const IN_COMPOSER: &str = "document.activeElement?.id === 'composer'";

/// The number of messages that are posted side by side; the node writes them in one commit.
const POSTED_AT_ONCE: usize = 16;

impl Window {
    /// Starts a browser and signs in on the first page, as a new user does. That leads to `general`.
    pub(super) async fn in_general(server: &TestServer, name: &str) -> Window {
        let window = Window::of(server).await;
        window.enters_general(name).await;
        window.is_connected().await;
        window
    }

    /// Does the same in a browser with tabs that hide each other.
    pub(super) async fn in_general_with_tabs(server: &TestServer, name: &str) -> Window {
        let window = Window::with_tabs(server.url(), &[]).await;
        window.enters_general(name).await;
        window.is_connected().await;
        window
    }

    /// Does the same behind a gate, without waiting for the connection.
    pub(super) async fn in_general_behind(gate: &Gate, name: &str) -> Window {
        let window = Window::at(gate.url()).await;
        window.enters_general(name).await;
        window
    }

    /// Signs in on the first page, as a new user does.
    pub(super) async fn enters_general(&self, name: &str) {
        self.enters(name).await;
        self.is_in("general").await;
    }

    /// Opens a room in the list.
    pub(super) async fn follows(&self, room: &str) {
        self.clicks(&format!(".room-link[data-room='{room}']")).await;
        self.is_in(room).await;
    }

    /// Starts a room, or joins it, with the form of the lobby. Each space of the name becomes a hyphen.
    pub(super) async fn starts_room(&self, typed: &str) {
        self.clicks(".brand").await;
        self.types("#room-name", typed).await;
        self.presses(Key::Enter).await;
        self.is_in(&typed.replace(' ', "-")).await;
    }

    /// Waits until the room is open and its messages are loaded.
    pub(super) async fn is_in(&self, room: &str) {
        let is_here = format!("location.pathname === '/rooms/{room}' && document.querySelector('#composer')");
        self.until(&format!("the room {room} is open"), &is_here).await;
        let is_ready = "!/loading/i.test(document.querySelector('.room').innerText)";
        self.until(&format!("the room {room} is ready"), is_ready).await;
    }

    /// Writes and sends a message with the keyboard alone.
    pub(super) async fn says(&self, text: &str) {
        self.until("the focus is in the composer", IN_COMPOSER).await;
        self.presses(text).await;
        self.presses(Key::Enter).await;
    }

    /// Sets the text of the composer to the value of a JavaScript expression, as pasting does.
    pub(super) async fn pastes(&self, expression: &str) {
        let paste = format!(
            "(() => {{ const field = document.querySelector('#composer'); field.focus(); field.value = {expression};
            return field.dispatchEvent(new InputEvent('input', {{ bubbles: true, inputType: 'insertFromPaste' }})); }})()"
        );
        assert!(self.evaluates::<bool>(&paste).await);
    }

    /// Writes a message and sends it with the button.
    pub(super) async fn writes(&self, text: &str) {
        self.types("textarea#composer", text).await;
        self.clicks("#send").await;
    }

    /// Waits until the last settled message has this text.
    pub(super) async fn reads(&self, text: &str) {
        let last = format!("{MESSAGES}.at(-1)?.[1] === {}", json!(text));
        self.until(&format!("the last message is {text:?}"), &last).await;
    }

    pub(super) async fn messages(&self) -> Vec<(u64, String)> {
        self.evaluates(MESSAGES).await
    }

    /// Checks that the settled messages have all seqs from 1, each once and in order. Returns their texts.
    pub(super) async fn texts(&self) -> Vec<String> {
        let messages = self.messages().await;
        let seqs: Vec<u64> = messages.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(seqs, (1..=messages.len() as u64).collect::<Vec<_>>());
        messages.into_iter().map(|(_, text)| text).collect()
    }
}

impl Person {
    /// Posts a message to a room over HTTP.
    pub(super) async fn posts(&self, room: &str, key: &str, text: &str) {
        let request = self.request(Method::POST, &messages(room)).header(endpoint::IDEMPOTENCY_KEY, key);
        let answer = self.ask(request.json(&json!({ "text": text }))).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// Posts the messages "line {first}" to "line {last}", side by side except for the last one, which follows all
    /// others.
    pub(super) async fn posts_messages(&self, room: &str, first: usize, last: usize) {
        let poster = &self.with_open_connections();
        let post = async |number| {
            poster.posts(room, &format!("{room}-{number}"), &format!("line {number}")).await;
        };
        stream::iter(first..last).for_each_concurrent(POSTED_AT_ONCE, post).await;
        post(last).await;
    }
}
