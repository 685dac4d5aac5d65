//! `Crowd`: many readers of one topic, each with a socket and an identity of its own, and counts of what they saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use shared::{CloseReason, Event, Seq, ServerFrame, Status, Step, Topic};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval};

use crate::histogram::Histogram;
use crate::publishing::age_micros;
use crate::support::browser::Order;
use crate::support::{Dice, TestServer, Witness, browser_loop};

/// So many come at the same time.
const COME_AT_ONCE: usize = 64;
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// See the module. Dropping it ends its sockets.
pub struct Crowd {
    readers: Vec<Reader>,
    /// From the publish to the moment at which a reader applied the event.
    pub latency: Arc<Histogram>,
}

struct Reader {
    orders: mpsc::UnboundedSender<Order>,
    counts: Arc<Counts>,
}

/// What one reader saw.
#[derive(Default)]
pub struct Counts {
    seq: AtomicU64,
    is_live: AtomicBool,
    /// Events that came through the socket.
    pub pushed: AtomicU64,
    /// Pages it asked for.
    pub pulls: AtomicU64,
    /// Heads after events had come: it was marked behind.
    pub late_heads: AtomicU64,
    /// Events out of order, doubled or missing: must stay 0.
    pub wrong: AtomicU64,
    latency: Arc<Histogram>,
}

impl Crowd {
    /// So many guests, each connected and at the head of the topic.
    pub async fn gather(server: &TestServer, topic: &Topic, count: usize) -> Crowd {
        Crowd::gather_on(&Handle::current(), server, topic, count).await
    }

    /// The same, on threads of another runtime.
    pub async fn gather_on(runtime: &Handle, server: &TestServer, topic: &Topic, count: usize) -> Crowd {
        let latency = Arc::<Histogram>::default();
        let coming =
            stream::iter(0..count).map(|number| come(runtime, server, topic, number, latency.clone()));
        let readers = coming.buffer_unordered(COME_AT_ONCE).collect().await;
        let crowd = Crowd { readers, latency };
        crowd.until("all are connected", |counts| counts.is_live.load(Ordering::Relaxed)).await;
        crowd
    }

    /// Takes nothing from the sockets any more.
    pub fn stop_reading(&self) {
        self.order(|| Order::StopReading);
    }

    /// Takes from them again.
    pub fn read_on(&self) {
        self.order(|| Order::ReadOn);
    }

    /// Waits until everybody has applied everything up to `seq`; tells how long that took.
    pub async fn until_read(&self, seq: Seq) -> Duration {
        let start = Instant::now();
        self.until("all have every event", |counts| counts.seq.load(Ordering::Relaxed) >= seq.0).await;
        start.elapsed()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.readers.len()
    }

    /// The sum of a count over all.
    pub fn sum(&self, count: fn(&Counts) -> &AtomicU64) -> u64 {
        self.readers.iter().map(|reader| count(&reader.counts).load(Ordering::Relaxed)).sum()
    }

    /// How many have at least one of it.
    pub fn with_any(&self, count: fn(&Counts) -> &AtomicU64) -> usize {
        self.readers.iter().filter(|reader| count(&reader.counts).load(Ordering::Relaxed) > 0).count()
    }

    async fn until(&self, what: &str, fits: impl Fn(&Counts) -> bool) {
        let (start, mut looks) = (Instant::now(), interval(LOOK_EVERY));
        loop {
            looks.tick().await;
            let left = self.readers.iter().filter(|reader| !fits(&reader.counts)).count();
            if left == 0 {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "waited in vain for {left} of {}: {what}", self.len());
        }
    }

    fn order(&self, order: fn() -> Order) {
        self.readers.iter().for_each(|reader| reader.orders.send(order()).expect("it runs while we do"));
    }
}

async fn come(
    runtime: &Handle,
    server: &TestServer,
    topic: &Topic,
    number: usize,
    latency: Arc<Histogram>,
) -> Reader {
    let person = server.guest(&format!("Reader {number}")).await;
    let (orders, to_do) = mpsc::unbounded_channel();
    let counts = Arc::new(Counts { latency, ..Counts::default() });
    runtime.spawn(browser_loop::run(person, to_do, counts.clone(), Some(Dice::new(number as u64))));
    orders.send(Order::Watch(topic.clone())).expect("it has just begun");
    Reader { orders, counts }
}

/// The first page begins wherever the topic is; from there on not one may be missing.
impl Witness for Arc<Counts> {
    fn on_status(&mut self, _status: Status) {}

    fn on_opened(&mut self) {}

    fn on_closed(&mut self, _reason: CloseReason) {}

    fn on_frame(&mut self, frame: &ServerFrame) {
        match frame {
            ServerFrame::Event(_) => _ = self.pushed.fetch_add(1, Ordering::Relaxed),
            ServerFrame::Head { .. } => {
                self.is_live.store(true, Ordering::Relaxed);
                let is_late = self.pushed.load(Ordering::Relaxed) > 0;
                self.late_heads.fetch_add(is_late.into(), Ordering::Relaxed);
            }
            _ => {}
        }
    }

    fn on_watch(&mut self, _topic: &Topic) {}

    fn on_step(&mut self, _topic: &Topic, step: &Step<Event>) {
        self.pulls.fetch_add(step.pull.is_some().into(), Ordering::Relaxed);
        for event in &step.apply {
            let before = self.seq.swap(event.seq.0, Ordering::Relaxed);
            let follows = before + 1 == event.seq.0 || before == 0;
            self.wrong.fetch_add((!follows).into(), Ordering::Relaxed);
            self.latency.add(age_micros(event));
        }
    }
}
