//! A node without a server around it.

use std::sync::Arc;

use clap::Parser;
use realtime::{AccessRule, EventLog, LocalBus, Node, NodeDeps};
use server::limits::Limits;

#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    limits: Limits,
}

/// Starts a node on a log that it shares with no other, with this access rule for the probe's topics.
pub fn node(log: Arc<dyn EventLog>, rule: Arc<dyn AccessRule>) -> Arc<Node> {
    Node::start(NodeDeps {
        name: "node".into(),
        build: "build".into(),
        log,
        bus: Arc::new(LocalBus::default()),
        rules: vec![("probe", rule)],
        limits: Defaults::parse_from(["node"]).limits.of_node(),
        clock: || 0,
    })
}
