//! Work of several steps that must not stop half way.

use std::panic::resume_unwind;

use tracing::Instrument;

/// Runs `work` to completion even if the caller is cancelled: a client that hangs up drops its handler.
pub async fn uncancelled<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work.in_current_span()).await {
        Ok(output) => output,
        // Nobody aborts the task, so it panicked, and the panic is the caller's.
        Err(error) => resume_unwind(error.into_panic()),
    }
}
