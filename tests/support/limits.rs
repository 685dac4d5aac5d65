//! What is refused for being too much, however slow the machine is.

use std::time::Instant;

use super::Answer;

/// How many a rate of one a second lets through at once.
const BURST: usize = 5;

/// Asks until a rate of one a second refuses. Gives how often it did not, and the refusal.
pub async fn one_a_second(mut ask: impl AsyncFnMut(usize) -> Answer) -> (usize, Answer) {
    let begun = Instant::now();
    for asked in 0.. {
        let answer = ask(asked).await;
        let allowed = BURST..=BURST + 1 + begun.elapsed().as_secs() as usize;
        assert!(asked <= *allowed.end(), "{asked} in {:?} and not refused", begun.elapsed());
        if answer.status == 429 {
            assert!(allowed.contains(&asked), "refused after {asked}");
            return (asked, answer);
        }
    }
    unreachable!("the numbers do not end")
}
