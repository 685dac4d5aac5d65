//! `CoreMetrics`: the counters and histograms of a node, in the types that Prometheus reads.
//!
//! Each is a handle: counting is one addition, and looks nothing up. Gauges of what a node holds at the moment are read
//! when they are asked for; see [`gauges`](crate::gauges).

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Buckets from less than any disk takes to more than any caller waits.
const SECONDS: [f64; 13] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Buckets up to the number that the publisher takes at once.
const DRAFTS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Counts since the start.
#[derive(Debug)]
pub struct CoreMetrics {
    /// Reads that were answered from memory.
    pub pulls_from_memory: Counter,
    /// Reads of the log, those of the hub included.
    pub pulls_from_log: Counter,
    pulls: Family<[(&'static str, &'static str); 1], Counter>,
    /// Heads that a session was told in place of events, because it could not keep up.
    pub topics_behind: Counter,
    /// Frames from clients that could not be read or were not allowed.
    pub frames_refused: Counter,
    /// Signals dropped because they were past their session's rate.
    pub signals_dropped: Counter,
    /// Frames past their session's rate, after which the socket is not read for a moment.
    pub reads_paused: Counter,
    /// Seconds of one append, the sync to disk included.
    pub append_seconds: Histogram,
    /// The number of drafts that shared one append.
    pub append_drafts: Histogram,
    /// Drafts whose append failed, or whose outcome is unknown.
    pub appends_failed: Counter,
}

impl Default for CoreMetrics {
    fn default() -> CoreMetrics {
        let pulls = Family::<_, Counter>::default();
        CoreMetrics {
            pulls_from_memory: pulls.get_or_create_owned(&[("source", "memory")]),
            pulls_from_log: pulls.get_or_create_owned(&[("source", "log")]),
            pulls,
            topics_behind: Counter::default(),
            frames_refused: Counter::default(),
            signals_dropped: Counter::default(),
            reads_paused: Counter::default(),
            append_seconds: Histogram::new(SECONDS),
            append_drafts: Histogram::new(DRAFTS),
            appends_failed: Counter::default(),
        }
    }
}

impl CoreMetrics {
    /// Registers all of them.
    pub fn register(&self, to: &mut Registry) {
        to.register("pulls", "Reads, by what answered them", self.pulls.clone());
        to.register("topics_behind", "Topics of which a socket skipped events", self.topics_behind.clone());
        to.register("frames_refused", "Frames unreadable or not allowed", self.frames_refused.clone());
        to.register("signals_dropped", "Signals past their rate", self.signals_dropped.clone());
        to.register(
            "reads_paused",
            "Pauses of reading a socket whose frames were past their rate",
            self.reads_paused.clone(),
        );
        to.register("append_seconds", "Time of one append to the log", self.append_seconds.clone());
        to.register("append_drafts", "Publishes that shared one append", self.append_drafts.clone());
        to.register("appends_failed", "Publishes that did not reach the log", self.appends_failed.clone());
    }
}
