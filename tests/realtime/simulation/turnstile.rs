//! `Turnstile`: those who wake at the same moment go on in the order in which they came.
//!
//! tokio's `watch` wakes its receivers in an order that it draws by lot, from a source that no seed reaches. A
//! seed that is to replay must not depend on it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

/// On the simulated clock it passes when everyone who woke in this moment has come to the turnstile, and not before.
const MOMENT: Duration = Duration::from_millis(1);

/// See the module.
#[derive(Default)]
pub struct Turnstile {
    places: AtomicU64,
    waiting: Arc<Mutex<BTreeMap<u64, oneshot::Sender<()>>>>,
}

impl Turnstile {
    /// A place in the queue, to be taken before the waiting begins.
    pub fn place(&self) -> u64 {
        self.places.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns a moment later, after those who woke in the same moment and have an earlier place.
    pub async fn pass(&self, place: u64) {
        let (open, opened) = oneshot::channel();
        let is_first = {
            let mut waiting = self.waiting.lock().unwrap();
            waiting.insert(place, open);
            waiting.len() == 1
        };
        if is_first {
            let waiting = self.waiting.clone();
            tokio::spawn(async move {
                sleep(MOMENT).await;
                let through = std::mem::take(&mut *waiting.lock().unwrap());
                // Whoever was ended meanwhile does not need to pass.
                through.into_values().for_each(|open| _ = open.send(()));
            });
        }
        // It fails only when the run is over.
        opened.await.ok();
    }
}
