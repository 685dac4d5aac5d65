//! `Writable`: whether the log took the last write, as nobody can know without trying.

use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::realtime::log::EventLog;

/// What the last write says about the next one, for so long.
const GOOD_FOR: Duration = Duration::from_secs(30);

/// See the module. Good until a write fails, and again from the next one that succeeds.
pub struct Writable {
    last: watch::Sender<Last>,
    /// Held by whoever asks the log.
    asking: Mutex<()>,
}

/// The last write.
#[derive(Clone, Copy)]
struct Last {
    succeeded: bool,
    /// When it ended; nothing before the first one.
    at: Option<Instant>,
}

impl Default for Writable {
    fn default() -> Writable {
        let none = Last { succeeded: true, at: None };
        Writable { last: watch::Sender::new(none), asking: Mutex::default() }
    }
}

impl Writable {
    /// Notes how a write ended. Only a change is worth a line: a full disk is often where the lines go.
    pub fn note<E: std::fmt::Display>(&self, outcome: Result<(), E>) {
        let last = Last { succeeded: outcome.is_ok(), at: Some(Instant::now()) };
        let was = self.last.send_replace(last).succeeded;
        match outcome {
            Err(error) if was => tracing::error!(%error, "the log cannot be written"),
            Err(error) => tracing::debug!(%error, "the log still cannot be written"),
            Ok(()) if !was => tracing::info!("the log can be written again"),
            Ok(()) => {}
        }
    }

    /// Writes to the log, for no reader to see, and notes how it went.
    pub async fn ask(&self, log: &dyn EventLog) {
        self.note(log.try_write().await);
    }

    /// Whether the log takes writes now. The last one tells, unless it is long ago: then the log is asked, once
    /// for all who want to know meanwhile.
    pub async fn is_now(&self, log: &dyn EventLog) -> bool {
        let _asking = self.asking.lock().await;
        if self.is_stale() {
            self.ask(log).await;
        }
        self.is()
    }

    /// Whether the last write succeeded.
    pub fn is(&self) -> bool {
        self.last.borrow().succeeded
    }

    /// Whether the last write is too long ago to say anything.
    fn is_stale(&self) -> bool {
        self.last.borrow().at.is_none_or(|at| at.elapsed() > GOOD_FOR)
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
    async fn what_the_last_write_says_is_stale_after_a_while_and_before_the_first_one() {
        let writable = Writable::default();
        assert!(writable.is() && writable.is_stale(), "nothing was tried yet");
        writable.note(Ok::<(), &str>(()));
        advance(GOOD_FOR).await;
        assert!(!writable.is_stale());
        advance(Duration::from_millis(1)).await;
        assert!(writable.is_stale());
        writable.note(Err("the disk is full"));
        assert!(!writable.is() && !writable.is_stale());
    }
}
