//! The loops that run for as long as the node does.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::time::{Instant, MissedTickBehavior, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::realtime::bus::Heard;
use crate::realtime::log::{EventLog, Which};
use crate::realtime::node::{Node, Parts};
use crate::realtime::publisher;
use crate::realtime::writable::Writable;

/// How long a lost notice can stay unnoticed.
const BEAT: Duration = Duration::from_secs(3);
/// After so many notices in a row the sockets get their turn, so that a batch larger than an outbox does not put
/// readers behind that keep up.
const NOTICES_AT_ONCE: u32 = 8;
/// Topics whose heads are asked for in one read of the log.
const HEADS_AT_ONCE: usize = 512;

impl Node {
    /// Starts a node and its tasks: the publisher, the one that follows the bus, the beat, the presence, and
    /// the one that tries whether the log can be written again.
    pub fn start(parts: Parts) -> Arc<Node> {
        let (log, bus) = (parts.log.clone(), parts.bus.clone());
        let (publisher, jobs) = publisher::queue();
        let node = Arc::new(Node::new(parts, publisher));
        let (tasks, stop) = (&node.tasks, &node.stop);
        tasks.spawn(follow_bus(node.clone(), bus.listen(), stop.clone()));
        tasks.spawn(beat(node.clone(), stop.clone()));
        tasks.spawn(tell_presence(node.clone(), stop.clone()));
        let (writable, figures) = (node.writable.clone(), node.figures.clone());
        tasks.spawn(heal(writable.clone(), log.clone(), stop.clone()));
        tasks.spawn(publisher::run(jobs, log, bus, writable, figures, stop.clone()));
        node
    }
}

/// Hands every notice to the hub, in the order they come.
pub async fn follow_bus(node: Arc<Node>, mut notices: BoxStream<'static, Heard>, stop: CancellationToken) {
    let mut in_a_row = 0;
    loop {
        in_a_row = (in_a_row + 1) % NOTICES_AT_ONCE;
        if in_a_row == 0 {
            tokio::task::yield_now().await;
        }
        let heard = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            heard = notices.next() => heard,
        };
        match heard {
            Some(Heard::Notice(notice)) => {
                let topic = notice.event.topic.clone();
                let wanted = node.hub.on_notice(notice);
                node.pull_for_hub(topic, wanted);
            }
            Some(Heard::Missed) => compare_heads(&node).await,
            None => return,
        }
    }
}

/// The repair loop: what was lost on the way to this node is noticed within one beat.
pub async fn beat(node: Arc<Node>, stop: CancellationToken) {
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

/// Tells who is where whenever that has changed, but not too often.
pub async fn tell_presence(node: Arc<Node>, stop: CancellationToken) {
    loop {
        let next = node.hub.tell_presence(Instant::now());
        let pause = sleep_until(next.unwrap_or_else(Instant::now));
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = node.hub.stirred() => {}
            () = pause, if next.is_some() => {}
        }
    }
}

/// While the log cannot be written, tries it with every beat: a node that says so is sent no publish to try with.
pub async fn heal(writable: Arc<Writable>, log: Arc<dyn EventLog>, stop: CancellationToken) {
    let asking = async {
        loop {
            writable.failed().await;
            sleep(BEAT).await;
            writable.ask(&*log).await;
        }
    };
    stop.run_until_cancelled(asking).await;
}

async fn compare_heads(node: &Arc<Node>) {
    let topics = node.hub.watched();
    // In parts: nobody waits for the hub while all of it is compared.
    for topics in topics.chunks(HEADS_AT_ONCE) {
        match node.heads(Which::Topics(topics)).await {
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
