//! `WriteProbe`: the result of the last write of the log. Only writing can tell that a disk is full.

use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::log::EventLog;

/// The time for which the last write says something about the next one.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// The result of the last write. It is good until a write fails, and again once one succeeds.
pub struct WriteProbe {
    last: watch::Sender<LastWrite>,
    /// Held by the caller that tries a write, so that there is one trial for all who ask meanwhile.
    trial: Mutex<()>,
}

#[derive(Clone, Copy)]
struct LastWrite {
    succeeded: bool,
    /// The time at which it ended; `None` before the first write.
    at: Option<Instant>,
}

impl Default for WriteProbe {
    fn default() -> WriteProbe {
        let none = LastWrite { succeeded: true, at: None };
        WriteProbe { last: watch::Sender::new(none), trial: Mutex::default() }
    }
}

impl WriteProbe {
    /// Records the result of a write. Only a change is logged above debug: a full disk is often where log lines go.
    pub fn record<E: std::fmt::Display>(&self, result: Result<(), E>) {
        let last = LastWrite { succeeded: result.is_ok(), at: Some(Instant::now()) };
        let had_succeeded = self.last.send_replace(last).succeeded;
        match result {
            Err(error) if had_succeeded => tracing::error!(%error, "the log cannot be written"),
            Err(error) => tracing::debug!(%error, "the log still cannot be written"),
            Ok(()) if !had_succeeded => tracing::info!("the log can be written again"),
            Ok(()) => {}
        }
    }

    /// Tries a write that no reader sees, and records its result.
    pub async fn try_write(&self, log: &dyn EventLog) {
        self.record(log.try_write().await);
    }

    /// True if the log takes writes now. A write is tried if the last one is too long ago to tell.
    pub async fn check(&self, log: &dyn EventLog) -> bool {
        let _trial = self.trial.lock().await;
        if self.is_stale() {
            self.try_write(log).await;
        }
        self.last_ok()
    }

    /// True if the last write succeeded.
    pub fn last_ok(&self) -> bool {
        self.last.borrow().succeeded
    }

    fn is_stale(&self) -> bool {
        self.last.borrow().at.is_none_or(|at| at.elapsed() > FRESH_FOR)
    }

    /// Returns once a write has failed.
    pub async fn failed(&self) {
        let mut last = self.last.subscribe();
        // It fails only once the sender is gone, which `self` owns.
        last.wait_for(|last| !last.succeeded).await.ok();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_write_is_stale_after_a_while_and_before_the_first_one() {
        let probe = WriteProbe::default();
        assert!(probe.last_ok() && probe.is_stale(), "nothing was tried yet");
        probe.record(Ok::<(), &str>(()));
        advance(FRESH_FOR).await;
        assert!(!probe.is_stale());
        advance(Duration::from_millis(1)).await;
        assert!(probe.is_stale());
        probe.record(Err("the disk is full"));
        assert!(!probe.last_ok() && !probe.is_stale());
    }
}
