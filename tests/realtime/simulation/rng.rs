//! `SimulationRng`: the only source of randomness in a run, so that a seed determines the whole run.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::sleep;

use crate::support::Rng;

/// A generator that everything in a run shares. Clones draw from the same sequence.
#[derive(Clone)]
pub struct SimulationRng(Arc<Mutex<RngState>>);

struct RngState {
    rng: Rng,
    faults_stopped: bool,
}

impl SimulationRng {
    /// Starts the sequence of numbers that belongs to this seed.
    pub fn new(seed: u64) -> SimulationRng {
        SimulationRng(Arc::new(Mutex::new(RngState { rng: Rng::new(seed), faults_stopped: false })))
    }

    /// Makes [`SimulationRng::fault_one_in`] return false from now on.
    pub fn stop_faults(&self) {
        self.lock().faults_stopped = true;
    }

    /// Decides whether a fault happens: once in `times`, until faults are stopped.
    pub fn fault_one_in(&self, times: u64) -> bool {
        self.one_in(times) && !self.lock().faults_stopped
    }

    /// Returns true once in `times` draws, on average.
    pub fn one_in(&self, times: u64) -> bool {
        self.lock().rng.one_in(times)
    }

    /// Draws a number within the range.
    pub fn range(&self, range: RangeInclusive<u64>) -> u64 {
        self.lock().rng.range(*range.start()..range.end() + 1)
    }

    /// Draws a number in `0.0..1.0`.
    pub fn fraction(&self) -> f64 {
        self.lock().rng.fraction()
    }

    /// Chooses one of `options`.
    pub fn choose<'a, T>(&self, options: &'a [T]) -> &'a T {
        &options[self.range(0..=options.len() as u64 - 1) as usize]
    }

    /// Sleeps for a random time on the simulated clock. The delay is part of the run: nothing waits for a condition.
    pub async fn sleep(&self, millis: RangeInclusive<u64>) {
        sleep(Duration::from_millis(self.range(millis))).await;
    }

    fn lock(&self) -> MutexGuard<'_, RngState> {
        self.0.lock().unwrap()
    }
}
