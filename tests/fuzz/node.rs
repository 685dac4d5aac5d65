//! A new node for each input, so that a finding can be reproduced from its input alone.

use std::sync::{Arc, LazyLock};

use clap::Parser;
use realtime::{LocalBus, Node, NodeDeps, SignInId, Visitor};
use server::limits::Limits;
use shared::{Identity, Millis, UserId};
use tokio::runtime::Builder;

use crate::feature;
use crate::memory_log::MemoryLog;

/// The limits without any flags.
#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    limits: Limits,
}

static LIMITS: LazyLock<Limits> = LazyLock::new(|| Defaults::parse_from(["fuzz"]).limits);

/// Returns the default limits.
pub fn limits() -> Limits {
    LIMITS.clone()
}

/// Runs the work of one input to its end. Timers fire at once; tasks that are left over end with it.
pub fn run(input: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime needs nothing").block_on(input);
}

/// Starts a node that keeps its log in memory.
pub fn start(limits: &Limits) -> Arc<Node> {
    let probe = feature::feature();
    Node::start(NodeDeps {
        name: "fuzzed".into(),
        build: "fuzzed".into(),
        log: Arc::new(MemoryLog::new()),
        bus: Arc::new(LocalBus::default()),
        rules: vec![(probe.namespace, probe.access)],
        limits: limits.of_node(),
        clock,
    })
}

/// Returns the identity of a user with this name.
pub fn person(name: &str) -> Identity {
    Identity {
        id: UserId(name.to_lowercase().into()),
        name: name.to_owned().try_into().expect("a valid name"),
    }
}

/// Returns a signed-in visitor with this name.
#[allow(dead_code, reason = "requests sign in with a cookie")]
pub fn visitor(name: &str) -> Visitor {
    Visitor { identity: person(name), sign_in: SignInId([0; 32]), from: [127, 0, 0, 1].into() }
}

/// Returns always the same time.
pub fn clock() -> Millis {
    1_795_357_200_000
}
