//! A node of its own for each input, so that a finding is found again from its input alone.

use std::sync::{Arc, LazyLock};

use clap::Parser;
use realtime::{LocalBus, Node, NodeDeps, SignInId, Visitor};
use server::limits::Limits;
use shared::{Identity, Millis, UserId};
use tokio::runtime::Builder;

use crate::feature;
use crate::memory_log::MemoryLog;

/// The limits as they are with no flag given.
#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    limits: Limits,
}

static LIMITS: LazyLock<Limits> = LazyLock::new(|| Defaults::parse_from(["fuzz"]).limits);

/// The table's defaults.
pub fn limits() -> Limits {
    LIMITS.clone()
}

/// Plays one input to its end. Whatever waits for a time is served at once; what is left over ends with it.
pub fn play(input: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime needs nothing").block_on(input);
}

/// A node that keeps its log in memory.
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

/// Somebody of that name.
pub fn person(name: &str) -> Identity {
    Identity {
        id: UserId(name.to_lowercase().into()),
        name: name.to_owned().try_into().expect("a good name"),
    }
}

/// The same, signed in.
#[allow(dead_code, reason = "requests sign in with a cookie")]
pub fn visitor(name: &str) -> Visitor {
    Visitor { identity: person(name), sign_in: SignInId([0; 32]), from: [127, 0, 0, 1].into() }
}

/// It is always the same moment.
pub fn clock() -> Millis {
    1_795_357_200_000
}
