//! Reads of the log that a node does on its own, to have the pages in memory that readers of a topic will pull.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use realtime::{
    AccessRule, AppendError, Appended, Draft, EventLog, Heads, HeadsOf, LogError, Range, Session, SignInId,
    Visitor,
};
use shared::{ClientFrame, DisplayName, EventPage, Identity, Listed, Topic, UserId};
use tokio::sync::Semaphore;

use crate::support::node::node;
use crate::support::{MemoryLog, eventually, probe};

/// A log that counts its reads. Each read waits for the gate.
struct SlowLog {
    log: MemoryLog,
    gate: Semaphore,
    reads: AtomicUsize,
}

impl SlowLog {
    fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl EventLog for SlowLog {
    async fn append(&self, drafts: Vec<Draft>) -> Vec<Result<Appended, AppendError>> {
        self.log.append(drafts).await
    }

    async fn read(&self, topic: &Topic, range: Range) -> Result<EventPage, LogError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.gate.acquire().await.expect("it is never closed").forget();
        self.log.read(topic, range).await
    }

    async fn heads(&self, which: HeadsOf<'_>) -> Result<Heads, LogError> {
        self.log.heads(which).await
    }

    async fn try_write(&self) -> Result<(), LogError> {
        self.log.try_write().await
    }
}

struct AllowAll;

#[async_trait]
impl AccessRule for AllowAll {
    async fn may_read(&self, _who: &Identity, _topic: &Topic) -> bool {
        true
    }
}

async fn subscribe(reader: &mut Session, name: &str) {
    let frame = ClientFrame::Subscribe { topic: probe(name), listed: Listed::No };
    reader.on_text(&serde_json::to_string(&frame).unwrap()).await;
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_nobody_watches_any_more_is_not_read() {
    let log =
        Arc::new(SlowLog { log: MemoryLog::new(), gate: Semaphore::new(0), reads: AtomicUsize::new(0) });
    let node = node(log.clone(), Arc::new(AllowAll));
    let ada = Identity { id: UserId("u_ada".into()), name: DisplayName::parse("Ada").unwrap() };
    let visitor = Visitor { identity: ada, sign_in: SignInId([0; 32]), from: [127, 0, 0, 1].into() };
    let mut leaving = Session::open(&node, visitor.clone());
    let mut staying = Session::open(&node, visitor);
    for number in 0..50 {
        subscribe(&mut leaving, &format!("topic-{number}")).await;
    }
    subscribe(&mut staying, "last").await;
    eventually("some reads have begun, and the others wait for them", async || {
        (log.reads() > 0).then_some(())
    })
    .await;

    let begun = log.reads();
    drop(leaving);
    log.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    // Reads run in order, so all reads for topics without readers would have run by now.
    eventually("the last topic is read", async || {
        let frames = staying.mailbox().take().frames;
        frames.iter().any(|frame| frame.starts_with(br#"{"head""#)).then_some(())
    })
    .await;
    assert!(begun < 50);
    assert_eq!(log.reads(), begun + 1);
}
