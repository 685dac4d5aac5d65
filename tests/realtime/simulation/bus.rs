//! `SimulatedBus`: notices between nodes that are lost, late, doubled and out of order, as the contract allows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{BoxStream, StreamExt, unfold};
use realtime::{Bus, BusError, BusMessage, Notice};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::chance::Chance;
use super::trace::Trace;

/// See the module. Clones are the same bus.
#[derive(Clone)]
pub struct SimulatedBus {
    chance: Chance,
    trace: Trace,
    listeners: Arc<Mutex<Vec<UnboundedSender<BusMessage>>>>,
}

/// One process's end of it.
pub struct BusEnd {
    bus: SimulatedBus,
    gone: CancellationToken,
}

impl SimulatedBus {
    /// Nobody listens yet.
    pub fn new(chance: Chance, trace: Trace) -> SimulatedBus {
        SimulatedBus { chance, trace, listeners: Arc::default() }
    }

    /// The end of a process; nothing comes through it once the process is gone.
    pub fn end(&self, gone: CancellationToken) -> BusEnd {
        BusEnd { bus: self.clone(), gone }
    }

    /// Sends one notice to one listener, for better or worse.
    fn carry(&self, notice: &Notice, to: &UnboundedSender<BusMessage>) {
        if self.chance.strikes(8) {
            self.trace.count("notice lost");
            if self.chance.one_in(3) {
                to.send(BusMessage::Missed).ok();
            }
            return;
        }
        let copies = if self.chance.strikes(15) { 2 } else { 1 };
        for _ in 0..copies {
            let late = if self.chance.strikes(8) { 3_000 } else { 15 };
            let (delay, to) = (Duration::from_millis(self.chance.between(0..=late)), to.clone());
            let heard = BusMessage::Notice(notice.clone());
            tokio::spawn(async move {
                sleep(delay).await;
                // An error says that the listener is gone.
                to.send(heard).ok();
            });
        }
    }
}

#[async_trait]
impl Bus for BusEnd {
    async fn announce(&self, notice: Notice) -> Result<(), BusError> {
        if self.gone.is_cancelled() || self.bus.chance.strikes(20) {
            return Err(BusError("the bus is away".into()));
        }
        let mut listeners = self.bus.listeners.lock().unwrap();
        listeners.retain(|listener| !listener.is_closed());
        listeners.iter().for_each(|listener| self.bus.carry(&notice, listener));
        Ok(())
    }

    fn listen(&self) -> BoxStream<'static, BusMessage> {
        let (listener, heard) = unbounded_channel();
        self.bus.listeners.lock().unwrap().push(listener);
        let hear = |(mut heard, gone): (tokio::sync::mpsc::UnboundedReceiver<_>, CancellationToken)| async {
            let next = gone.run_until_cancelled(heard.recv()).await.flatten()?;
            Some((next, (heard, gone)))
        };
        unfold((heard, self.gone.clone()), hear).boxed()
    }
}
