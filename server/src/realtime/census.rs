//! `Census`: what there is on a node at this moment, looked at whenever Prometheus asks.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::realtime::node::Node;

/// See the module.
struct Census(Arc<Node>);

impl Node {
    /// Names all that this node can be asked for: what it has counted, and what there is.
    pub fn register(self: &Arc<Node>, to: &mut Registry) {
        self.figures().register(to);
        to.register_collector(Box::new(Census(self.clone())));
    }
}

impl Collector for Census {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let node = &self.0;
        let (topics, subscriptions) = node.hub.counts();
        for (name, help, now) in [
            ("sessions", "Open sockets, streams and waiting polls", node.sessions.count()),
            ("topics_watched", "Topics that somebody here waits at", topics),
            ("subscriptions", "Topics that sockets listen to, over all of them", subscriptions),
            ("publishes_waiting", "Publishes that wait for the log", node.publishes_waiting()),
            ("log_writable", "Whether the last write succeeded", usize::from(node.writable.is())),
        ] {
            let gauge = ConstGauge::new(i64::try_from(now).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Census {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Census")
    }
}
