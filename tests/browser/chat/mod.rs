//! The demo in real browsers: people in rooms, whatever happens to the server.

mod around;
mod event_source;
mod hidden;
mod long_room;
mod lost_server;
mod polling;
mod presence;
mod talk;
mod unsent;

use reqwest::Method;
use serde_json::json;
use shared::endpoint;
use shared::features::chat::messages;

use crate::support::Person;
use crate::window::Window;

/// The settled lines of the page, from top to bottom: seq and text.
pub(super) const LINES: &str = "[...document.querySelectorAll('.message[data-seq]')]\
                     .map(line => [Number(line.dataset.seq), line.querySelector('.message-text').innerText])";

impl Window {
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
}

pub(super) const NOTHING_UNSETTLED: &str = "!document.querySelector('.message:not([data-seq])')";
