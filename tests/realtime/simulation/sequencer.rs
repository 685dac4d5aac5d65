//! `Sequencer`: makes tasks that wake at the same moment continue in the order of their tickets.
//!
//! tokio's `watch` wakes its receivers in a random order that no seed controls. A run that must be repeatable cannot
//! depend on it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

/// The simulated clock advances by this much only when every task that woke at the same moment is waiting for its turn.
const MOMENT: Duration = Duration::from_millis(1);

/// An ordered queue of tasks that have just woken.
#[derive(Default)]
pub struct Sequencer {
    tickets: AtomicU64,
    waiting: Arc<Mutex<BTreeMap<u64, oneshot::Sender<()>>>>,
}

impl Sequencer {
    /// Takes the next ticket. A task takes it before it begins to wait for its wake-up.
    pub fn ticket(&self) -> u64 {
        self.tickets.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns a moment later, after all tasks that woke at the same moment with a lower ticket.
    pub async fn wait_for_turn(&self, ticket: u64) {
        let (wake, woken) = oneshot::channel();
        let is_first = {
            let mut waiting = self.waiting.lock().unwrap();
            waiting.insert(ticket, wake);
            waiting.len() == 1
        };
        if is_first {
            let waiting = self.waiting.clone();
            tokio::spawn(async move {
                sleep(MOMENT).await;
                let in_order = std::mem::take(&mut *waiting.lock().unwrap());
                // A task that was cancelled in the meantime has dropped its receiver.
                in_order.into_values().for_each(|wake| _ = wake.send(()));
            });
        }
        // It fails only when the run is over.
        woken.await.ok();
    }
}
