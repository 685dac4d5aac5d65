//! A node without a server around it.

use std::sync::Arc;

use clap::Parser;
use server::limits::Limits;
use server::realtime::{AccessRule, EventLog, Node, Parts, open_bus};

#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    limits: Limits,
}

/// One alone on its log, with this rule for the probe's topics.
pub async fn node(log: Arc<dyn EventLog>, rule: Arc<dyn AccessRule>) -> Arc<Node> {
    Node::start(Parts {
        name: "node".into(),
        build: "build".into(),
        log,
        bus: open_bus("local:").await.expect("it needs nothing"),
        rules: vec![("probe", rule)],
        limits: Defaults::parse_from(["node"]).limits,
        clock: || 0,
    })
}
