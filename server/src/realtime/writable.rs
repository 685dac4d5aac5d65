//! `Writable`: whether the log took the last write, as nobody can know without trying.

use tokio::sync::watch;

/// See the module. Good until a write fails, and again from the next one that succeeds.
pub struct Writable(watch::Sender<bool>);

impl Default for Writable {
    fn default() -> Writable {
        Writable(watch::Sender::new(true))
    }
}

impl Writable {
    /// Notes how a write ended. Only a change is worth a line: a full disk is often where the lines go.
    pub fn note<E: std::fmt::Display>(&self, outcome: Result<(), E>) {
        let was = self.0.send_replace(outcome.is_ok());
        match outcome {
            Err(error) if was => tracing::error!(%error, "the log cannot be written"),
            Err(error) => tracing::debug!(%error, "the log still cannot be written"),
            Ok(()) if !was => tracing::info!("the log can be written again"),
            Ok(()) => {}
        }
    }

    /// Whether the last write succeeded.
    pub fn is(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once a write has failed.
    pub async fn failed(&self) {
        let mut last = self.0.subscribe();
        // It fails only once the sender is gone, which `self` owns.
        last.wait_for(|writable| !writable).await.ok();
    }
}
