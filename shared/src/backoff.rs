//! `Backoff`: the waits between attempts, of the connection, the outbox and pulls alike, with full jitter under a ceiling that doubles.
//!
//! Without jitter every client of a restarted server comes back in the same instant; see "Exponential Backoff
//! And Jitter", AWS Architecture Blog, 2015.

/// The shortest wait.
const FLOOR_MS: u64 = 500;
/// The ceiling of the first wait.
const CEILING_FIRST_MS: u64 = 1_000;
/// The ceiling stops growing here.
const CEILING_MAX_MS: u64 = 20_000;

/// The state of the back-off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    ceiling_ms: u64,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { ceiling_ms: CEILING_FIRST_MS }
    }
}

impl Backoff {
    /// The next wait in milliseconds, drawn evenly between the floor and the ceiling, which then doubles.
    /// `random` is in `0.0..1.0`.
    pub fn next_ms(&mut self, random: f64) -> u64 {
        let wait = within(self.ceiling_ms, random);
        self.ceiling_ms = (self.ceiling_ms * 2).min(CEILING_MAX_MS);
        wait
    }

    /// Draws a wait at the slowest pace, without changing the ceiling: for tabs that nobody sees.
    pub fn slowest_ms(random: f64) -> u64 {
        within(CEILING_MAX_MS, random).max(CEILING_MAX_MS / 2)
    }

    /// Resets the ceiling, after a connection that lasted.
    pub fn reset(&mut self) {
        *self = Backoff::default();
    }
}

fn within(ceiling_ms: u64, random: f64) -> u64 {
    FLOOR_MS + ((ceiling_ms - FLOOR_MS) as f64 * random.clamp(0.0, 1.0)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_twenty_seconds() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..7).map(|_| backoff.next_ms(1.0)).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
    }

    #[test]
    fn every_wait_lies_between_floor_and_ceiling() {
        let mut backoff = Backoff::default();
        for step in 0..50 {
            let wait = backoff.next_ms(f64::from(step) / 50.0);
            assert!((FLOOR_MS..=CEILING_MAX_MS).contains(&wait));
        }
        backoff.reset();
        assert!(backoff.next_ms(0.999) <= CEILING_FIRST_MS);
    }
}
