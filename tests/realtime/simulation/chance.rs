//! `Chance`: the one source of every accident in a run, so that a seed is a whole run.
//!
//! SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014): small, and good enough
//! to throw stones with.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::sleep;

/// See the module. Clones draw from the same source.
#[derive(Clone)]
pub struct Chance(Arc<Mutex<State>>);

struct State {
    seed: u64,
    healed: bool,
}

impl Chance {
    /// Everything that follows from this seed.
    pub fn new(seed: u64) -> Chance {
        Chance(Arc::new(Mutex::new(State { seed, healed: false })))
    }

    /// From now on no fault strikes any more.
    pub fn heal(&self) {
        self.0.lock().unwrap().healed = true;
    }

    /// A fault that happens once in `times`, until everything is healed.
    pub fn strikes(&self, times: u64) -> bool {
        self.one_in(times) && !self.0.lock().unwrap().healed
    }

    /// An ordinary choice.
    pub fn one_in(&self, times: u64) -> bool {
        self.between(1..=times) == 1
    }

    /// A number of that range.
    pub fn between(&self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.next() % (range.end() - range.start() + 1)
    }

    /// A number in `0.0..1.0`.
    pub fn unit(&self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of several.
    pub fn pick<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[self.between(0..=of.len() as u64 - 1) as usize]
    }

    /// Lets that many milliseconds pass on the simulated clock: a delay that the run is made of, nothing to wait for.
    pub async fn pause(&self, millis: RangeInclusive<u64>) {
        sleep(Duration::from_millis(self.between(millis))).await;
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        state.seed = state.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state.seed ^ (state.seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
