//! `SimulatedBus`: loses, delays, duplicates and reorders notices between nodes, as the contract of `Bus` allows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{BoxStream, StreamExt, unfold};
use realtime::{Bus, BusError, BusMessage, Notice};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::rng::SimulationRng;
use super::trace::Trace;

/// The bus of all nodes. Clones share their listeners.
#[derive(Clone)]
pub struct SimulatedBus {
    rng: SimulationRng,
    trace: Trace,
    listeners: Arc<Mutex<Vec<UnboundedSender<BusMessage>>>>,
}

/// The connection of one process to the bus.
pub struct BusConnection {
    bus: SimulatedBus,
    gone: CancellationToken,
}

impl SimulatedBus {
    /// Creates a bus without listeners.
    pub fn new(rng: SimulationRng, trace: Trace) -> SimulatedBus {
        SimulatedBus { rng, trace, listeners: Arc::default() }
    }

    /// Connects a process. Nothing gets through once `gone` is cancelled.
    pub fn connect(&self, gone: CancellationToken) -> BusConnection {
        BusConnection { bus: self.clone(), gone }
    }

    /// Sends a notice to a listener, unless it gets lost.
    fn deliver(&self, notice: &Notice, listener: &UnboundedSender<BusMessage>) {
        if self.rng.fault_one_in(8) {
            self.trace.count("notice lost");
            if self.rng.one_in(3) {
                listener.send(BusMessage::Missed).ok();
            }
            return;
        }
        let copies = if self.rng.fault_one_in(15) { 2 } else { 1 };
        for _ in 0..copies {
            let delay_ms_max = if self.rng.fault_one_in(8) { 3_000 } else { 15 };
            let delay = Duration::from_millis(self.rng.range(0..=delay_ms_max));
            let message = BusMessage::Notice(notice.clone());
            let listener = listener.clone();
            tokio::spawn(async move {
                sleep(delay).await;
                // An error means that the listener is gone.
                listener.send(message).ok();
            });
        }
    }
}

#[async_trait]
impl Bus for BusConnection {
    async fn announce(&self, notice: Notice) -> Result<(), BusError> {
        if self.gone.is_cancelled() || self.bus.rng.fault_one_in(20) {
            return Err(BusError("the bus is unreachable".into()));
        }
        let mut listeners = self.bus.listeners.lock().unwrap();
        listeners.retain(|listener| !listener.is_closed());
        listeners.iter().for_each(|listener| self.bus.deliver(&notice, listener));
        Ok(())
    }

    fn listen(&self) -> BoxStream<'static, BusMessage> {
        let (listener, messages) = unbounded_channel();
        self.bus.listeners.lock().unwrap().push(listener);
        let next = |(mut messages, gone): (UnboundedReceiver<_>, CancellationToken)| async {
            let message = gone.run_until_cancelled(messages.recv()).await.flatten()?;
            Some((message, (messages, gone)))
        };
        unfold((messages, self.gone.clone()), next).boxed()
    }
}
