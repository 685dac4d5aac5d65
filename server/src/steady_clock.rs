//! `SteadyClock`: guards deletions by age against a wrong wall clock. Nothing may be deleted until the clock has run
//! steadily for a day.

use std::time::Duration;

use shared::Millis;
use tokio::time::Instant;

/// The time for which the clock must run steadily before it is trusted.
const TRUSTED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// The largest correction, such as by a time server, that does not count as a jump.
const CORRECTION_MS_MAX: u64 = 60_000;

/// A comparison of the wall clock with monotonic time, made only when [`SteadyClock::is_steady`] is called.
pub struct SteadyClock {
    since: Instant,
    /// The wall clock's time at `since`.
    wall_then: Millis,
}

impl SteadyClock {
    /// Starts the comparison at `wall_now`, the wall clock's time.
    pub fn new(wall_now: Millis) -> SteadyClock {
        SteadyClock { since: Instant::now(), wall_then: wall_now }
    }

    /// True if the wall clock has been steady for a day. A jump starts the day again.
    pub fn is_steady(&mut self, wall_now: Millis) -> bool {
        let passed = self.since.elapsed();
        let expected = self.wall_then.saturating_add_unsigned(passed.as_millis() as u64);
        if wall_now.abs_diff(expected) > CORRECTION_MS_MAX {
            tracing::warn!(by_ms = wall_now - expected, "the clock of this machine has jumped");
            *self = SteadyClock::new(wall_now);
            return false;
        }
        passed >= TRUSTED_AFTER
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_clock_is_steady_after_a_day_without_a_jump() {
        let mut now = 0;
        let mut clock = SteadyClock::new(now);
        for _ in 1..24 * 60 {
            advance(MINUTE).await;
            now += 60_000;
            assert!(!clock.is_steady(now));
        }
        advance(MINUTE).await;
        assert!(clock.is_steady(now + 60_000 + 900), "a second in a day is a correction");
    }

    #[tokio::test(start_paused = true)]
    async fn a_jump_in_either_direction_starts_the_day_again() {
        for jump_ms in [35_424_000_000, -35_424_000_000, 61_000] {
            let mut clock = SteadyClock::new(0);
            advance(TRUSTED_AFTER).await;
            let now = TRUSTED_AFTER.as_millis() as Millis + jump_ms;
            assert!(!clock.is_steady(now), "{jump_ms}");
            advance(TRUSTED_AFTER - MINUTE).await;
            assert!(!clock.is_steady(now + (TRUSTED_AFTER - MINUTE).as_millis() as Millis));
            advance(MINUTE).await;
            assert!(clock.is_steady(now + TRUSTED_AFTER.as_millis() as Millis));
        }
    }
}
