//! What a node reads of the log for itself, to have in memory what those who watch will ask for.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use server::realtime::{
    AccessRule, AppendError, Appended, Draft, EventLog, Heads, LogError, Range, Session, SignIn, Visitor,
    Which,
};
use shared::{ClientFrame, DisplayName, EventPage, Identity, Listed, Topic, UserId};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::support::node::node;
use crate::support::{MemoryLog, probe};

/// A log whose reads wait for the gate.
struct SlowLog {
    log: MemoryLog,
    gate: Semaphore,
}

#[async_trait]
impl EventLog for SlowLog {
    async fn append(&self, drafts: Vec<Draft>) -> Vec<Result<Appended, AppendError>> {
        self.log.append(drafts).await
    }

    async fn read(&self, topic: &Topic, range: Range) -> Result<EventPage, LogError> {
        self.gate.acquire().await.expect("it is never closed").forget();
        self.log.read(topic, range).await
    }

    async fn heads(&self, which: Which<'_>) -> Result<Heads, LogError> {
        self.log.heads(which).await
    }

    async fn try_write(&self) -> Result<(), LogError> {
        self.log.try_write().await
    }
}

struct Everybody;

#[async_trait]
impl AccessRule for Everybody {
    async fn may_read(&self, _who: &Identity, _topic: &Topic) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_for_a_topic_that_nobody_watches_any_more() {
    let log = Arc::new(SlowLog { log: MemoryLog::new(), gate: Semaphore::new(0) });
    let node = node(log.clone(), Arc::new(Everybody)).await;
    let ada = Identity { id: UserId("u_ada".into()), name: DisplayName::parse("Ada").unwrap() };
    let mut reader = Session::open(&node, Visitor { identity: ada, sign_in: SignIn([0; 32]) });
    for number in 0..50 {
        let frame = ClientFrame::Subscribe { topic: probe(&format!("room-{number}")), listed: Listed::No };
        reader.on_text(&serde_json::to_string(&frame).unwrap()).await;
    }
    // On paused time a moment passes once nothing else can go on.
    sleep(Duration::from_millis(1)).await;
    let begun = node.figures().pulls_from_log.get();
    assert!((1..50).contains(&begun), "{begun} reads go on at once, and the others wait for them");

    drop(reader);
    log.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(node.figures().pulls_from_log.get(), begun);
}
