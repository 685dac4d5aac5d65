//! `PageTurns`: the turns of those who read pages.
//!
//! Readers that catch up at once take turns on half of the cores. Each turn is followed by a pause of the same length,
//! which leaves the CPU to pushed frames; only the next reader in line waits for it.
//! `cargo xtask bench storm` shows the difference: without turns, the slowest publishes beside a crowd that reconnects
//! take twice as long.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Weak};
use std::thread::available_parallelism;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use crate::http::guard::rates::network_of;

/// Readers of one address that wait in the common line. The others wait behind these, and hold nobody else up.
const EACH_MAX: usize = 8;
/// A page from memory takes less, and needs no pause.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// A page that waited for a slow disk must not make the next one wait as long again.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// A common line, and one for each address.
pub struct PageTurns {
    all: Arc<Semaphore>,
    /// By address, as long as somebody there waits or has a turn.
    each: Mutex<HashMap<IpAddr, Weak<Semaphore>>>,
}

/// A turn to read a page and encode it. Dropping it ends the turn.
pub struct Turn {
    began: Instant,
    permits: Option<[OwnedSemaphorePermit; 2]>,
}

impl Default for PageTurns {
    fn default() -> PageTurns {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        PageTurns { all: Arc::new(Semaphore::new((cores / 2).max(1))), each: Mutex::default() }
    }
}

impl PageTurns {
    /// Returns once it is the turn of a reader from this address.
    pub async fn next(&self, from: IpAddr) -> Turn {
        let own = self.of(network_of(from)).acquire_owned().await.expect("it is never closed");
        let permit = self.all.clone().acquire_owned().await.expect("it is never closed");
        Turn { began: Instant::now(), permits: Some([permit, own]) }
    }

    fn of(&self, from: IpAddr) -> Arc<Semaphore> {
        let mut each = self.each.lock();
        if let Some(own) = each.get(&from).and_then(Weak::upgrade) {
            return own;
        }
        each.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(EACH_MAX));
        each.insert(from, Arc::downgrade(&own));
        own
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (permits, took) = (self.permits.take(), self.began.elapsed().min(PAUSE_MAX));
        // A turn that is dropped with the runtime needs no pause.
        let Some(runtime) = Handle::try_current().ok().filter(|_| took >= PAUSE_MIN) else { return };
        runtime.spawn(async move {
            sleep(took).await;
            drop(permits);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn a_crowd_of_one_address_holds_others_up_no_longer_than_a_few_turns() {
        let turns = Arc::new(PageTurns { all: Arc::new(Semaphore::new(1)), each: Mutex::default() });
        let (crowd, other) = ([127, 0, 0, 2].into(), [127, 0, 0, 1].into());
        let first = turns.next(crowd).await;
        let had_theirs = Arc::new(AtomicUsize::new(0));
        for _ in 0..100 {
            let (turns, had_theirs) = (turns.clone(), had_theirs.clone());
            tokio::spawn(async move {
                let _turn = turns.next(crowd).await;
                had_theirs.fetch_add(1, Ordering::Relaxed);
            });
        }
        // Now they wait: a few in the line of all, the rest behind them.
        yield_now().await;
        let mut waiting = Box::pin(turns.next(other));
        assert!((&mut waiting).now_or_never().is_none());
        drop(first);
        waiting.await;
        let before = had_theirs.load(Ordering::Relaxed);
        assert!(before < EACH_MAX, "{before} of the crowd are let in first");
    }

    // A turn that takes long is followed by a pause, which is not what is tested.
    #[tokio::test(start_paused = true)]
    async fn an_address_that_nobody_waits_for_is_forgotten() {
        let turns = PageTurns::default();
        for number in 0..100 {
            drop(turns.next([127, 0, 0, number].into()).await);
        }
        assert_eq!(turns.each.lock().len(), 1);
    }
}
