//! Rates: requests that exceed a limit of one a second, however slow the machine is.

use std::time::Instant;

use super::TestResponse;

/// The number of requests that a rate of one a second allows at once.
const BURST: usize = 5;

/// Sends requests until a rate of one a second refuses one. Returns the number of requests before, and the refusal.
pub async fn ask_until_refused(mut ask: impl AsyncFnMut(usize) -> TestResponse) -> (usize, TestResponse) {
    let begun = Instant::now();
    for requests in 0.. {
        let answer = ask(requests).await;
        let allowed = BURST..=BURST + 1 + begun.elapsed().as_secs() as usize;
        let elapsed = begun.elapsed();
        assert!(requests <= *allowed.end(), "{requests} requests in {elapsed:?} and none was refused");
        if answer.status == 429 {
            assert!(allowed.contains(&requests), "refused after {requests} requests");
            return (requests, answer);
        }
    }
    unreachable!("the numbers do not end")
}
