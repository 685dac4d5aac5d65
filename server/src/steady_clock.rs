//! `SteadyClock`: tells if the wall clock has gone at the pace of time for so long that something may be destroyed by it.

use std::time::Duration;

use shared::Millis;
use tokio::time::Instant;

/// For so long it must have been right.
const PROVED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// It may be set right by so much meanwhile, as time servers do.
const CORRECTION_MS_MAX: u64 = 60_000;

/// A watch over the wall clock. It compares it with monotonic time whenever it is asked, and only then.
pub struct SteadyClock {
    since: Instant,
    showed: Millis,
}

impl SteadyClock {
    /// Begins to watch a clock that shows this.
    pub fn new(shows: Millis) -> SteadyClock {
        SteadyClock { since: Instant::now(), showed: shows }
    }

    /// True if the wall clock, which shows `shows` now, has been steady for a day. A leap begins the day anew.
    pub fn is_steady(&mut self, shows: Millis) -> bool {
        let passed = self.since.elapsed();
        let expected = self.showed.saturating_add_unsigned(passed.as_millis() as u64);
        if shows.abs_diff(expected) > CORRECTION_MS_MAX {
            tracing::warn!(by_ms = shows - expected, "the clock of this machine has leapt");
            *self = SteadyClock::new(shows);
            return false;
        }
        passed >= PROVED_AFTER
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_clock_is_steady_after_a_day_without_a_leap() {
        let (mut now, mut clock) = (0, SteadyClock::new(0));
        for _ in 1..24 * 60 {
            advance(MINUTE).await;
            now += 60_000;
            assert!(!clock.is_steady(now));
        }
        advance(MINUTE).await;
        assert!(clock.is_steady(now + 60_000 + 900), "a second in a day is a correction");
    }

    #[tokio::test(start_paused = true)]
    async fn a_leap_in_either_direction_begins_the_day_anew() {
        for leap_ms in [35_424_000_000, -35_424_000_000, 61_000] {
            let mut clock = SteadyClock::new(0);
            advance(PROVED_AFTER).await;
            let now = PROVED_AFTER.as_millis() as Millis + leap_ms;
            assert!(!clock.is_steady(now), "{leap_ms}");
            advance(PROVED_AFTER - MINUTE).await;
            assert!(!clock.is_steady(now + (PROVED_AFTER - MINUTE).as_millis() as Millis));
            advance(MINUTE).await;
            assert!(clock.is_steady(now + PROVED_AFTER.as_millis() as Millis));
        }
    }
}
