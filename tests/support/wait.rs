//! Waiting for a condition, with a deadline. No test just waits for time to pass.

use std::time::Duration;

use tokio::time::{interval, timeout};

/// Long enough for a busy machine. Only a test that fails waits this long.
pub const DEADLINE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Calls `look` until it finds something, and returns it. Fails the test at the deadline.
pub async fn eventually<T>(condition: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    match try_eventually(look).await {
        Some(found) => found,
        None => panic!("timed out after {DEADLINE:?} waiting for: {condition}"),
    }
}

/// Calls `look` until it finds something, and returns it. Returns `None` at the deadline.
pub async fn try_eventually<T>(mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let looking = async {
        let mut ticks = interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    timeout(DEADLINE, looking).await.ok()
}

/// Returns the output of `work`. Fails the test at the deadline.
pub async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    match timeout(DEADLINE, work).await {
        Ok(output) => output,
        Err(_) => panic!("timed out after {DEADLINE:?} waiting for: {what}"),
    }
}
