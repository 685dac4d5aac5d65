//! `Meters`: what the edge counts, and `/metrics`, where Prometheus reads all there is.
//!
//! Labels are of small closed sets: the route and never the path, no person, no topic. The address that serves
//! them is one of its own, for those who run the node.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::http::Budget;
use crate::memory::Memory;

/// The text format of OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Up to the longest poll.
const SECONDS: [f64; 13] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 60.0];
/// Up to a full outbox of the usual size.
const FRAMES: [f64; 6] = [1.0, 4.0, 16.0, 64.0, 128.0, 256.0];

/// See the module. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Meters {
    requests: Family<Answered, Histogram, fn() -> Histogram>,
    refused: Family<Label, Counter>,
    handshakes: Family<Label, Counter>,
    /// Accepted and not yet ended.
    pub connections_open: Gauge,
    /// Accepted since the start.
    pub connections: Counter,
    /// Sockets that are open.
    pub sockets_open: Gauge,
    frames_in: Counter,
    bytes_in: Counter,
    frames_out: Counter,
    bytes_out: Counter,
    outbox_frames: Histogram,
    shed: Family<Label, Counter>,
}

type Label = [(&'static str, &'static str); 1];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

/// What somebody is turned away for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Too many bytes of one address on their way.
    AddressBytes,
    /// Too many connections of one address.
    AddressConnections,
    /// Too many new guests from one address.
    AddressGuests,
    /// Too many sockets, streams and waiting polls of one address.
    AddressReaders,
    /// Too many publishes of one person.
    IdentityPublishes,
    /// One of a crowd, while memory is short.
    Memory,
    /// Too many bytes of the whole node on their way.
    NodeBytes,
    /// The node has all the sockets that it takes, or goes away.
    NodeSockets,
    /// A host or an origin that is not welcome.
    Origin,
}

/// Something that is there until this is dropped.
pub struct There(Gauge);

impl There {
    /// One more.
    pub fn enter(gauge: &Gauge) -> There {
        gauge.inc();
        There(gauge.clone())
    }
}

impl Drop for There {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Meters {
    fn default() -> Meters {
        Meters {
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
            outbox_frames: Histogram::new(FRAMES),
            shed: Family::default(),
        }
    }
}

impl Meters {
    /// Counts a request with its answer. `took` ends where the answer's body begins.
    pub fn answered(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let (route, status) = (route.to_owned(), status.as_u16());
        let labels = Answered { method: known(method), route, status };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts a refusal.
    pub fn refused(&self, reason: Refusal) {
        let reason = match reason {
            Refusal::AddressBytes => "address_bytes",
            Refusal::AddressConnections => "address_connections",
            Refusal::AddressGuests => "address_guests",
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

    /// Counts sessions and connections that were ended as memory was short.
    pub fn shed(&self, sessions: usize, connections: usize) {
        self.shed.get_or_create(&[("what", "sessions")]).inc_by(sessions as u64);
        self.shed.get_or_create(&[("what", "connections")]).inc_by(connections as u64);
    }

    /// Counts a frame that a socket received.
    pub fn frame_in(&self, bytes: usize) {
        self.frames_in.inc();
        self.bytes_in.inc_by(bytes as u64);
    }

    /// Counts frames that a socket is about to write.
    pub fn frames_out(&self, frames: &[Bytes]) {
        self.frames_out.inc_by(frames.len() as u64);
        self.bytes_out.inc_by(frames.iter().map(|frame| frame.len() as u64).sum());
    }

    /// Counts how many frames a socket found waiting, unless there were none.
    pub fn taken(&self, frames: usize) {
        if frames > 0 {
            self.outbox_frames.observe(frames as f64);
        }
    }

    /// Names them for whoever reads them.
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
        to.register("outbox_frames", "Frames waiting when taken", self.outbox_frames.clone());
        to.register("shed", "Sessions and connections ended as memory was short", self.shed.clone());
    }
}

/// The memory as it is when Prometheus asks.
struct MemoryNow(Memory, Budget);

/// Names the node's memory, where it has a limit, and the part of it that requests have taken.
pub fn register_memory(memory: Memory, budget: Budget, to: &mut Registry) {
    to.register_collector(Box::new(MemoryNow(memory, budget)));
}

impl fmt::Debug for MemoryNow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MemoryNow")
    }
}

impl Collector for MemoryNow {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let (requests, requests_max) = self.1.taken_and_max();
        let max = self.0.max();
        let figures = [
            ("memory_bytes", "Memory that the node has taken, in bytes", max.map(|_| self.0.taken())),
            ("memory_max_bytes", "Memory that it may take, in bytes", max),
            ("request_bytes", "Memory that requests under way have taken, in bytes", Some(requests as u64)),
            ("request_max_bytes", "Memory that they may take, in bytes", Some(requests_max as u64)),
        ];
        for (name, help, bytes) in figures {
            let Some(bytes) = bytes else { continue };
            let gauge = ConstGauge::new(i64::try_from(bytes).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// What is served on the address for metrics.
pub fn metrics(registry: Registry) -> Router {
    Router::new().route("/metrics", get(read)).with_state(Arc::new(registry))
}

async fn read(State(registry): State<Arc<Registry>>) -> Response {
    let mut figures = String::new();
    match text::encode(&mut figures, &registry) {
        Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS), (CACHE_CONTROL, "no-store")], figures).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A closed set: the method is the caller's to choose.
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
