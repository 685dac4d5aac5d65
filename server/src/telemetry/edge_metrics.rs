//! `EdgeMetrics`: the counters and histograms of connections, requests and sockets, in the types that Prometheus reads.
//!
//! Labels come from small closed sets: the route and never the path, no person, no topic.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use bytes::Bytes;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Buckets up to the longest poll.
const SECONDS: [f64; 13] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 60.0];
/// Buckets up to a full mailbox of the default size.
const FRAMES: [f64; 6] = [1.0, 4.0, 16.0, 64.0, 128.0, 256.0];

/// The metrics of the edge. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct EdgeMetrics {
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    refused: Family<Label, Counter>,
    handshakes: Family<Label, Counter>,
    /// Connections that are open.
    pub connections_open: Gauge,
    /// Connections accepted since the start.
    pub connections: Counter,
    /// Sockets that are open.
    pub sockets_open: Gauge,
    frames_in: Counter,
    bytes_in: Counter,
    frames_out: Counter,
    bytes_out: Counter,
    mailbox_frames: Histogram,
    shed: Family<Label, Counter>,
}

type Label = [(&'static str, &'static str); 1];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

/// The limit or rule for which a caller is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Too many bytes of memory for the requests of one address.
    AddressBytes,
    /// Too many connections of one address.
    AddressConnections,
    /// Too many new accounts from one address.
    AddressAccounts,
    /// Too many sockets, streams and waiting polls of one address.
    AddressReaders,
    /// Too many publishes of one person.
    IdentityPublishes,
    /// One of many from the same address, while memory is short.
    Memory,
    /// Too many bytes of memory for the requests of the whole node.
    NodeBytes,
    /// The node has all the sockets that it takes, or is stopping.
    NodeSockets,
    /// A host or an origin that is not allowed.
    Origin,
}

/// Counts one thing in a gauge, until it is dropped.
pub struct GaugeGuard(Gauge);

impl GaugeGuard {
    /// Raises the gauge.
    pub fn enter(gauge: &Gauge) -> GaugeGuard {
        gauge.inc();
        GaugeGuard(gauge.clone())
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for EdgeMetrics {
    fn default() -> EdgeMetrics {
        EdgeMetrics {
            requests: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            refused: Family::default(),
            handshakes: Family::default(),
            connections_open: Gauge::default(),
            connections: Counter::default(),
            sockets_open: Gauge::default(),
            frames_in: Counter::default(),
            bytes_in: Counter::default(),
            frames_out: Counter::default(),
            bytes_out: Counter::default(),
            mailbox_frames: Histogram::new(FRAMES),
            shed: Family::default(),
        }
    }
}

impl EdgeMetrics {
    /// Counts a request with its answer. `took` ends when the answer's body begins.
    pub fn answered(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let (route, status) = (route.to_owned(), status.as_u16());
        let labels = RequestLabels { method: known(method), route, status };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts a refusal.
    pub fn refused(&self, reason: Refusal) {
        let reason = match reason {
            Refusal::AddressBytes => "address_bytes",
            Refusal::AddressConnections => "address_connections",
            Refusal::AddressAccounts => "address_accounts",
            Refusal::AddressReaders => "address_readers",
            Refusal::IdentityPublishes => "identity_publishes",
            Refusal::Memory => "memory",
            Refusal::NodeBytes => "node_bytes",
            Refusal::NodeSockets => "node_sockets",
            Refusal::Origin => "origin",
        };
        self.refused.get_or_create(&[("reason", reason)]).inc();
    }

    /// Counts a TLS handshake.
    pub fn handshake(&self, outcome: &'static str) {
        self.handshakes.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Counts sessions and connections that were ended because memory was short.
    pub fn shed(&self, sessions: usize, connections: usize) {
        self.shed.get_or_create(&[("what", "sessions")]).inc_by(sessions as u64);
        self.shed.get_or_create(&[("what", "connections")]).inc_by(connections as u64);
    }

    /// Counts a frame from a socket.
    pub fn frame_in(&self, bytes: usize) {
        self.frames_in.inc();
        self.bytes_in.inc_by(bytes as u64);
    }

    /// Counts frames that are about to be written to a socket.
    pub fn frames_out(&self, frames: &[Bytes]) {
        self.frames_out.inc_by(frames.len() as u64);
        self.bytes_out.inc_by(frames.iter().map(|frame| frame.len() as u64).sum());
    }

    /// Observes the number of frames that a socket took from its mailbox, unless there were none.
    pub fn taken(&self, frames: usize) {
        if frames > 0 {
            self.mailbox_frames.observe(frames as f64);
        }
    }

    /// Registers all of them.
    pub fn register(&self, to: &mut Registry) {
        to.register("http_request_seconds", "Time to the head of an answer", self.requests.clone());
        to.register("refused", "Refusals, by limit or rule", self.refused.clone());
        to.register("tls_handshakes", "TLS handshakes, by outcome", self.handshakes.clone());
        to.register("connections_open", "Open connections", self.connections_open.clone());
        to.register("connections", "Connections", self.connections.clone());
        to.register("sockets_open", "Open sockets", self.sockets_open.clone());
        to.register("frames_in", "Frames from sockets", self.frames_in.clone());
        to.register("bytes_in", "Bytes of frames from sockets", self.bytes_in.clone());
        to.register("frames_out", "Frames to sockets", self.frames_out.clone());
        to.register("bytes_out", "Bytes of frames to sockets", self.bytes_out.clone());
        to.register("mailbox_frames", "Frames waiting when taken", self.mailbox_frames.clone());
        to.register("shed", "Sessions and connections ended as memory was short", self.shed.clone());
    }
}

/// Maps a method to a closed set: callers can send any.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        _ => "other",
    }
}
