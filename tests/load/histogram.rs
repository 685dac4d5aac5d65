//! `Histogram`: durations in buckets that are 3 % wide, so that millions of them fit into a few kilobytes.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The number of buckets between two powers of two.
const STEPS: u64 = 32;
const BUCKETS: usize = 64 * STEPS as usize;

/// A histogram that many tasks can fill at once.
pub struct Histogram {
    buckets: Vec<AtomicU64>,
    max_micros: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        let buckets = (0..BUCKETS).map(|_| AtomicU64::default()).collect();
        Histogram { buckets, max_micros: AtomicU64::default() }
    }
}

impl Histogram {
    /// Adds a duration.
    pub fn add(&self, micros: u64) {
        self.buckets[bucket(micros)].fetch_add(1, Ordering::Relaxed);
        self.max_micros.fetch_max(micros, Ordering::Relaxed);
    }

    /// Takes out all durations so far.
    pub fn take(&self) -> Histogram {
        let taken = Histogram::default();
        self.move_into(&taken, |count| count.swap(0, Ordering::Relaxed));
        taken
    }

    /// Returns the sum of two histograms.
    pub fn merge(&self, other: &Histogram) -> Histogram {
        let both = Histogram::default();
        [self, other].iter().for_each(|one| one.move_into(&both, |count| count.load(Ordering::Relaxed)));
        both
    }

    fn move_into(&self, into: &Histogram, read: fn(&AtomicU64) -> u64) {
        for (from, to) in self.buckets.iter().zip(&into.buckets) {
            to.fetch_add(read(from), Ordering::Relaxed);
        }
        into.max_micros.fetch_max(read(&self.max_micros), Ordering::Relaxed);
    }

    /// Returns the duration that this share of all durations does not exceed.
    pub fn quantile(&self, share: f64) -> Duration {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let mut left = (counts.iter().sum::<u64>() as f64 * share).ceil() as u64;
        let found = counts.iter().position(|count| {
            let is_here = *count >= left;
            left = left.saturating_sub(*count);
            is_here
        });
        Duration::from_micros(found.map_or(0, upper_end).min(self.max_micros.load(Ordering::Relaxed)))
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |share| self.quantile(share).as_secs_f64() * 1_000.0;
        write!(f, "p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", millis(0.5), millis(0.99), millis(1.0))
    }
}

/// Returns the bucket of a duration. Small numbers have their own bucket; above, the five bits after the highest one
/// select it.
fn bucket(micros: u64) -> usize {
    let Some(shift) = micros.checked_ilog2().and_then(|log| u64::from(log).checked_sub(5)) else {
        return micros as usize;
    };
    ((shift + 1) * STEPS + (micros >> shift) - STEPS) as usize
}

fn upper_end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let Some(shift) = (bucket / STEPS).checked_sub(1) else { return bucket };
    ((bucket % STEPS + STEPS + 1) << shift) - 1
}
