//! `Rng`: the random generator of all tests. The same seed always gives the same numbers.

use std::ops::Range;
use std::time::Duration;

/// SplitMix64 (Steele, Lea and Flood: "Fast Splittable Pseudorandom Number Generators", 2014): small, and good enough
/// to vary a test.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// Starts the sequence of numbers that belongs to this seed.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// Draws a number within the range.
    pub fn range(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// Returns true once in `times` draws, on average.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.range(0..times) == 0
    }

    /// Draws a number of milliseconds within the range.
    pub fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.range(range))
    }

    /// Draws a number in `0.0..1.0`.
    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
