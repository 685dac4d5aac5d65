//! Waiting for a condition, with a deadline. No test waits for time to pass.

use std::time::Duration;

use tokio::time::{interval, timeout};

/// Long enough for a busy machine; only a test that fails ever waits for it.
pub const DEADLINE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks again and again until `look` finds something. Fails the test at the deadline.
pub async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    match try_eventually(look).await {
        Some(found) => found,
        None => panic!("waited {DEADLINE:?} in vain: {what}"),
    }
}

/// The same; nothing at the deadline.
pub async fn try_eventually<T>(mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let looking = async {
        let mut looks = interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    timeout(DEADLINE, looking).await.ok()
}

/// The outcome of `work`. Fails the test at the deadline.
pub async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    match timeout(DEADLINE, work).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("waited {DEADLINE:?} in vain: {what}"),
    }
}
