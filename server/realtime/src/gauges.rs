//! Gauges of what a node holds at the moment, read whenever Prometheus asks.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::node::Node;

impl Node {
    /// Registers the node's counters, and gauges of what it holds at the moment.
    pub fn register(self: &Arc<Node>, registry: &mut Registry) {
        self.metrics().register(registry);
        registry.register_collector(Box::new(CoreGauges(self.clone())));
    }
}

struct CoreGauges(Arc<Node>);

impl Collector for CoreGauges {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let node = &self.0;
        let (topics, subscriptions) = node.hub.counts();
        for (name, help, now) in [
            ("sessions", "Open sockets, streams and waiting polls", node.sessions.count()),
            ("topics_watched", "Topics that somebody here listens to or waits at", topics),
            ("subscriptions", "Subscriptions of all sockets", subscriptions),
            ("publishes_waiting", "Publishes that wait for the log", node.publishes_waiting()),
            (
                "log_writable",
                "1 if the last write of the log succeeded",
                usize::from(node.write_probe.last_ok()),
            ),
        ] {
            let gauge = ConstGauge::new(i64::try_from(now).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

impl fmt::Debug for CoreGauges {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CoreGauges")
    }
}
