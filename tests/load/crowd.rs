//! `ReaderCrowd`: many readers of one topic, each with its own socket and identity, and their counters.

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
use crate::support::browser::BrowserCommand;
use crate::support::{ClientObserver, Rng, TestServer, browser_loop};

/// The number of readers that connect at the same time.
const CONNECT_AT_ONCE: usize = 64;
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The connected readers. Dropping it closes their sockets.
pub struct ReaderCrowd {
    readers: Vec<CrowdReader>,
    /// The time from a publish to the moment at which a reader applied the event.
    pub latency: Arc<Histogram>,
}

struct CrowdReader {
    commands: mpsc::UnboundedSender<BrowserCommand>,
    counts: Arc<ReaderCounts>,
}

/// The counters of one reader.
#[derive(Default)]
pub struct ReaderCounts {
    seq: AtomicU64,
    is_live: AtomicBool,
    /// The number of events that arrived through the socket.
    pub pushed: AtomicU64,
    /// The number of pulls.
    pub pulls: AtomicU64,
    /// The number of heads that arrived after events: the node marked the reader as behind.
    pub late_heads: AtomicU64,
    /// The number of events that were out of order, duplicated or missing. It must stay 0.
    pub wrong: AtomicU64,
    latency: Arc<Histogram>,
}

impl ReaderCrowd {
    /// Connects this many guests, and returns once each of them is at the head of the topic.
    pub async fn gather(server: &TestServer, topic: &Topic, count: usize) -> ReaderCrowd {
        ReaderCrowd::gather_on(&Handle::current(), server, topic, count).await
    }

    /// Connects the guests on the threads of another runtime. See [`ReaderCrowd::gather`].
    pub async fn gather_on(
        runtime: &Handle,
        server: &TestServer,
        topic: &Topic,
        count: usize,
    ) -> ReaderCrowd {
        let latency = Arc::<Histogram>::default();
        let connecting =
            stream::iter(0..count).map(|number| connect(runtime, server, topic, number, latency.clone()));
        let readers = connecting.buffer_unordered(CONNECT_AT_ONCE).collect().await;
        let crowd = ReaderCrowd { readers, latency };
        crowd.wait_until("all are connected", |counts| counts.is_live.load(Ordering::Relaxed)).await;
        crowd
    }

    /// Stops reading from the sockets.
    pub fn stop_reading(&self) {
        self.command(|| BrowserCommand::StopReading);
    }

    /// Resumes reading from the sockets.
    pub fn resume_reading(&self) {
        self.command(|| BrowserCommand::ResumeReading);
    }

    /// Waits until all readers have applied all events up to `seq`, and returns the time that it took.
    pub async fn wait_for_seq(&self, seq: Seq) -> Duration {
        let start = Instant::now();
        self.wait_until("all have every event", |counts| counts.seq.load(Ordering::Relaxed) >= seq.0).await;
        start.elapsed()
    }

    /// Returns the number of readers.
    pub fn len(&self) -> usize {
        self.readers.len()
    }

    /// Returns the sum of a counter over all readers.
    pub fn sum(&self, count: fn(&ReaderCounts) -> &AtomicU64) -> u64 {
        self.readers.iter().map(|reader| count(&reader.counts).load(Ordering::Relaxed)).sum()
    }

    /// Returns the number of readers whose counter is not 0.
    pub fn with_any(&self, count: fn(&ReaderCounts) -> &AtomicU64) -> usize {
        self.readers.iter().filter(|reader| count(&reader.counts).load(Ordering::Relaxed) > 0).count()
    }

    async fn wait_until(&self, condition: &str, fits: impl Fn(&ReaderCounts) -> bool) {
        let start = Instant::now();
        let mut looks = interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            let left = self.readers.iter().filter(|reader| !fits(&reader.counts)).count();
            if left == 0 {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "timed out waiting for {left} of {}: {condition}",
                self.len()
            );
        }
    }

    fn command(&self, command: fn() -> BrowserCommand) {
        self.readers.iter().for_each(|reader| {
            reader.commands.send(command()).expect("the reader runs for as long as the crowd")
        });
    }
}

async fn connect(
    runtime: &Handle,
    server: &TestServer,
    topic: &Topic,
    number: usize,
    latency: Arc<Histogram>,
) -> CrowdReader {
    let person = server.guest(&format!("Reader {number}")).await;
    let (commands, received) = mpsc::unbounded_channel();
    let counts = Arc::new(ReaderCounts { latency, ..ReaderCounts::default() });
    runtime.spawn(browser_loop::run(person, received, counts.clone(), Some(Rng::new(number as u64))));
    commands.send(BrowserCommand::Watch(topic.clone())).expect("the reader has just started");
    CrowdReader { commands, counts }
}

/// The first page begins anywhere in the topic. From there on, no event may be missing.
impl ClientObserver for Arc<ReaderCounts> {
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
