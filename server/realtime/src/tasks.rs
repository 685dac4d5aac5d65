//! The loops that run for as long as the node does.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::time::{Instant, MissedTickBehavior, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::bus::BusMessage;
use crate::log::{EventLog, HeadsOf};
use crate::node::{Node, NodeDeps};
use crate::publisher;
use crate::write_probe::WriteProbe;

/// The time within which a lost notice is noticed.
const BEAT: Duration = Duration::from_secs(3);
/// Notices handled in a row before the sockets get their turn. Without a pause, a batch larger than a mailbox would put
/// readers behind that keep up.
const NOTICES_AT_ONCE: u32 = 8;
/// Topics whose heads are asked for in one read of the log.
const HEADS_AT_ONCE: usize = 512;

impl Node {
    /// Starts a node and its tasks: the publisher, the follower of the bus, the beat, the presence, and the trial of
    /// writes while the log cannot be written.
    pub fn start(deps: NodeDeps) -> Arc<Node> {
        let log = deps.log.clone();
        let bus = deps.bus.clone();
        let (publisher, jobs) = publisher::queue();
        let node = Arc::new(Node::new(deps, publisher));
        let tasks = &node.tasks;
        let stop = &node.stop;
        let write_probe = &node.write_probe;
        tasks.spawn(follow_bus(node.clone(), bus.listen(), stop.clone()));
        tasks.spawn(beat(node.clone(), stop.clone()));
        tasks.spawn(send_presence(node.clone(), stop.clone()));
        tasks.spawn(retry_writes(write_probe.clone(), log.clone(), stop.clone()));
        tasks.spawn(publisher::run(jobs, log, bus, write_probe.clone(), node.metrics.clone(), stop.clone()));
        node
    }
}

/// Hands every notice to the hub, in the order in which they come.
async fn follow_bus(node: Arc<Node>, mut notices: BoxStream<'static, BusMessage>, stop: CancellationToken) {
    let mut in_a_row = 0;
    loop {
        in_a_row = (in_a_row + 1) % NOTICES_AT_ONCE;
        if in_a_row == 0 {
            tokio::task::yield_now().await;
        }
        let message = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            message = notices.next() => message,
        };
        match message {
            Some(BusMessage::Notice(notice)) => {
                let topic = notice.event.topic.clone();
                let pull = node.hub.on_notice(notice);
                node.pull_for_hub(topic, pull);
            }
            Some(BusMessage::Missed) => compare_heads(&node).await,
            None => return,
        }
    }
}

/// Repairs what was lost on the way to this node, within one beat.
async fn beat(node: Arc<Node>, stop: CancellationToken) {
    let mut beats = tokio::time::interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = beats.tick() => compare_heads(&node).await,
        }
    }
}

/// Sends presence updates whenever one is due.
async fn send_presence(node: Arc<Node>, stop: CancellationToken) {
    loop {
        let next = node.hub.send_presence(Instant::now());
        let pause = sleep_until(next.unwrap_or_else(Instant::now));
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = node.hub.presence_changed() => {}
            () = pause, if next.is_some() => {}
        }
    }
}

/// While the log cannot be written, tries a write with every beat: a node that is not ready is sent no publish that
/// would show that the disk has room again.
async fn retry_writes(write_probe: Arc<WriteProbe>, log: Arc<dyn EventLog>, stop: CancellationToken) {
    let retrying = async {
        loop {
            write_probe.failed().await;
            sleep(BEAT).await;
            write_probe.try_write(&*log).await;
        }
    };
    stop.run_until_cancelled(retrying).await;
}

async fn compare_heads(node: &Arc<Node>) {
    let topics = node.hub.live_topics();
    // In chunks, so that nobody waits for the hub while all topics are compared.
    for topics in topics.chunks(HEADS_AT_ONCE) {
        match node.heads(HeadsOf::Topics(topics)).await {
            Ok(heads) => {
                for (topic, pull) in node.hub.on_heads(topics, &heads) {
                    node.pull_for_hub(topic, Some(pull));
                }
            }
            Err(error) => {
                tracing::error!(%error, "the heads could not be read; the next beat tries again");
                return;
            }
        }
    }
}
