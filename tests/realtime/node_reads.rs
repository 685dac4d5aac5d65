//! What a node reads of the log for itself, to have in memory what those who watch will ask for.

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

/// A log whose reads are counted, and wait for the gate.
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

struct Everybody;

#[async_trait]
impl AccessRule for Everybody {
    async fn may_read(&self, _who: &Identity, _topic: &Topic) -> bool {
        true
    }
}

async fn looks_at(reader: &mut Session, name: &str) {
    let frame = ClientFrame::Subscribe { topic: probe(name), listed: Listed::No };
    reader.on_text(&serde_json::to_string(&frame).unwrap()).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_for_a_topic_that_nobody_watches_any_more() {
    let log =
        Arc::new(SlowLog { log: MemoryLog::new(), gate: Semaphore::new(0), reads: AtomicUsize::new(0) });
    let node = node(log.clone(), Arc::new(Everybody));
    let ada = Identity { id: UserId("u_ada".into()), name: DisplayName::parse("Ada").unwrap() };
    let visitor = Visitor { identity: ada, sign_in: SignInId([0; 32]), from: [127, 0, 0, 1].into() };
    let (mut gone, mut stays) = (Session::open(&node, visitor.clone()), Session::open(&node, visitor));
    for number in 0..50 {
        looks_at(&mut gone, &format!("topic-{number}")).await;
    }
    looks_at(&mut stays, "last").await;
    eventually("some reads go on, and the others wait for them", async || (log.reads() > 0).then_some(()))
        .await;

    let begun = log.reads();
    drop(gone);
    log.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    // Reads get their turns in order, so those for nobody have had theirs by now.
    eventually("the last topic is read", async || {
        let frames = stays.mailbox().take().frames;
        frames.iter().any(|frame| frame.starts_with(br#"{"head""#)).then_some(())
    })
    .await;
    assert!(begun < 50);
    assert_eq!(log.reads(), begun + 1);
}
