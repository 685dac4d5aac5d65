//! `/metrics`, from which Prometheus reads everything, on an address of its own for those who run the node.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::http::guard::budget::Budget;
use crate::memory::Memory;

/// The text format of OpenMetrics 1.0.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Gauges of the memory, read when Prometheus asks.
struct MemoryGauges(Memory, Budget);

/// Registers gauges of the node's memory, if it has a limit, and of the part that requests take.
pub fn register_memory(memory: Memory, budget: Budget, to: &mut Registry) {
    to.register_collector(Box::new(MemoryGauges(memory, budget)));
}

impl fmt::Debug for MemoryGauges {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MemoryGauges")
    }
}

impl Collector for MemoryGauges {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let (requests, requests_max) = self.1.taken_and_max();
        let max = self.0.max();
        let gauges = [
            ("memory_bytes", "Memory that the node has taken, in bytes", max.map(|_| self.0.taken())),
            ("memory_max_bytes", "Memory that it may take, in bytes", max),
            ("request_bytes", "Memory that requests under way have taken, in bytes", Some(requests as u64)),
            ("request_max_bytes", "Memory that they may take, in bytes", Some(requests_max as u64)),
        ];
        for (name, help, bytes) in gauges {
            let Some(bytes) = bytes else { continue };
            let gauge = ConstGauge::new(i64::try_from(bytes).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// The router of the address for metrics.
pub fn router(registry: Registry) -> Router {
    Router::new().route("/metrics", get(read)).with_state(Arc::new(registry))
}

async fn read(State(registry): State<Arc<Registry>>) -> Response {
    let mut lines = String::new();
    match text::encode(&mut lines, &registry) {
        Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS), (CACHE_CONTROL, "no-store")], lines).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
