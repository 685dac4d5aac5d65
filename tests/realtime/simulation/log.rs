//! `LogEnd`: one process's way to the log. Commits fail, commits succeed and their answer is lost, reads fail and
//! are old when they arrive. Once the process is gone, nothing comes through any more, in whatever it was.

use std::time::Duration;

use async_trait::async_trait;
use realtime::{AppendError, Appended, Draft, EventLog, Heads, HeadsOf, LogError, Outcome, Range};
use shared::{EventPage, Topic};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::chance::Chance;
use super::trace::Trace;
use crate::support::MemoryLog;

/// See the module.
pub struct LogEnd {
    /// Whose.
    pub process: String,
    /// The truth, shared by all nodes.
    pub log: MemoryLog,
    /// What goes wrong.
    pub chance: Chance,
    /// Where it is noted.
    pub trace: Trace,
    /// The process is gone.
    pub gone: CancellationToken,
}

impl LogEnd {
    /// Takes its time; forever, once the process is gone.
    async fn pause(&self) {
        let millis = if self.chance.strikes(30) { 800 } else { 6 };
        let pause = Duration::from_millis(self.chance.between(0..=millis));
        if self.gone.run_until_cancelled(sleep(pause)).await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    async fn answer<T>(&self, answer: Result<T, LogError>) -> Result<T, LogError> {
        self.pause().await;
        if self.chance.strikes(25) {
            self.trace.count("read failed");
            return Err(LogError("the log cannot be read".into()));
        }
        answer
    }

    fn unavailable(&self, count: usize, kind: &'static str) -> Vec<Result<Appended, AppendError>> {
        self.trace.count(kind);
        self.trace.note(format_args!("{}: {kind}", self.process));
        vec![Err(AppendError::Unavailable(kind.into())); count]
    }
}

#[async_trait]
impl EventLog for LogEnd {
    async fn append(&self, drafts: Vec<Draft>) -> Vec<Result<Appended, AppendError>> {
        let count = drafts.len();
        self.pause().await;
        if self.chance.strikes(12) {
            return self.unavailable(count, "commit failed");
        }
        let answers = self.log.append(drafts).await;
        for appended in answers.iter().flatten() {
            let new = if appended.outcome == Outcome::New { "appends" } else { "finds" };
            let (event, epoch) = (&appended.event, &appended.epoch);
            let key = event.key.as_str();
            self.trace
                .note(format_args!("{} {new} {epoch} {} {} {key}", self.process, event.topic, event.seq));
        }
        self.pause().await;
        if self.chance.strikes(12) {
            return self.unavailable(count, "commit's answer lost");
        }
        answers
    }

    async fn read(&self, topic: &Topic, range: Range) -> Result<EventPage, LogError> {
        self.trace.count("log read");
        self.pause().await;
        let page = self.log.read(topic, range).await;
        self.answer(page).await
    }

    async fn heads(&self, which: HeadsOf<'_>) -> Result<Heads, LogError> {
        self.pause().await;
        let heads = self.log.heads(which).await;
        self.answer(heads).await
    }

    async fn try_write(&self) -> Result<(), LogError> {
        self.pause().await;
        if self.chance.strikes(12) {
            self.trace.count("try failed");
            return Err(LogError("the log cannot be written".into()));
        }
        self.log.try_write().await
    }
}
