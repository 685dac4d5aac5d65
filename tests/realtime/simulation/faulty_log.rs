//! `FaultyLog`: the access of one process to the log. Commits fail, or succeed and lose their answer; reads fail, or
//! are outdated when they arrive. Once the process is gone, it gets no answer any more.

use std::time::Duration;

use async_trait::async_trait;
use realtime::{AppendError, Appended, Draft, EventLog, Heads, HeadsOf, LogError, Outcome, Range};
use shared::{EventPage, Topic};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::rng::SimulationRng;
use super::trace::Trace;
use crate::support::MemoryLog;

/// A log that fails at random.
pub struct FaultyLog {
    /// The name of the process.
    pub process: String,
    /// The log that all processes share.
    pub log: MemoryLog,
    /// The source of faults and delays.
    pub rng: SimulationRng,
    /// The trace of the run.
    pub trace: Trace,
    /// Cancelled once the process is gone.
    pub gone: CancellationToken,
}

impl FaultyLog {
    /// Sleeps for as long as a disk may take; for ever, once the process is gone.
    async fn delay(&self) {
        let millis_max = if self.rng.fault_one_in(30) { 800 } else { 6 };
        let delay = Duration::from_millis(self.rng.range(0..=millis_max));
        if self.gone.run_until_cancelled(sleep(delay)).await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    async fn answer<T>(&self, answer: Result<T, LogError>) -> Result<T, LogError> {
        self.delay().await;
        if self.rng.fault_one_in(25) {
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
impl EventLog for FaultyLog {
    async fn append(&self, drafts: Vec<Draft>) -> Vec<Result<Appended, AppendError>> {
        let count = drafts.len();
        self.delay().await;
        if self.rng.fault_one_in(12) {
            return self.unavailable(count, "commit failed");
        }
        let answers = self.log.append(drafts).await;
        for Appended { event, epoch, outcome } in answers.iter().flatten() {
            let verb = if *outcome == Outcome::New { "appends" } else { "finds" };
            let key = event.key.as_str();
            self.trace
                .note(format_args!("{} {verb} {epoch} {} {} {key}", self.process, event.topic, event.seq));
        }
        self.delay().await;
        if self.rng.fault_one_in(12) {
            return self.unavailable(count, "commit's answer lost");
        }
        answers
    }

    async fn read(&self, topic: &Topic, range: Range) -> Result<EventPage, LogError> {
        self.trace.count("log read");
        self.delay().await;
        let page = self.log.read(topic, range).await;
        self.answer(page).await
    }

    async fn heads(&self, of: HeadsOf<'_>) -> Result<Heads, LogError> {
        self.delay().await;
        let heads = self.log.heads(of).await;
        self.answer(heads).await
    }

    async fn try_write(&self) -> Result<(), LogError> {
        self.delay().await;
        if self.rng.fault_one_in(12) {
            self.trace.count("try failed");
            return Err(LogError("the log cannot be written".into()));
        }
        self.log.try_write().await
    }
}
