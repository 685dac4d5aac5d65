//! Work of several steps that must not stop half way.

use std::panic::resume_unwind;

use tracing::Instrument;

/// Does all of `work`, also where its caller is dropped meanwhile, as a handler is whose client hangs up.
pub(crate) async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work.in_current_span()).await {
        Ok(done) => done,
        // Nobody aborts it: what ended it is a panic, which is its caller's.
        Err(error) => resume_unwind(error.into_panic()),
    }
}
