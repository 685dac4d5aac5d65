//! A permission that ends takes effect at once, also for a subscription that is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use realtime::{AccessRule, Node, Session, SignInId, Visitor};
use shared::{ClientFrame, DisplayName, Identity, Key, Payload, ServerFrame, Topic, UserId};
use tokio::sync::Semaphore;

use crate::support::node::node;
use crate::support::{MemoryLog, in_time, probe, read_frame};

/// An access rule that looks at the permission at once, but answers only when the gate opens.
struct GatedRule {
    allowed: AtomicBool,
    gate: Semaphore,
    looked: Semaphore,
}

#[async_trait]
impl AccessRule for GatedRule {
    async fn may_read(&self, _who: &Identity, _topic: &Topic) -> bool {
        let answer = self.allowed.load(Ordering::SeqCst);
        self.looked.add_permits(1);
        self.gate.acquire().await.expect("the gate is never closed").forget();
        answer
    }
}

impl GatedRule {
    /// Runs work after the rule has looked, and before it answers.
    async fn run_before_answer(&self, work: impl Future<Output = ()>) {
        self.looked.acquire().await.unwrap().forget();
        work.await;
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}

async fn node_with_gate(permits: usize) -> (Arc<Node>, Arc<GatedRule>) {
    let allowed = AtomicBool::new(true);
    let rule = Arc::new(GatedRule { allowed, gate: Semaphore::new(permits), looked: Semaphore::new(0) });
    (node(Arc::new(MemoryLog::new()), rule.clone()), rule)
}

fn ada() -> Identity {
    Identity { id: UserId("u_ada".into()), name: DisplayName::parse("Ada").unwrap() }
}

fn session(node: &Arc<Node>) -> Session {
    Session::open(node, Visitor { identity: ada(), sign_in: SignInId([0; 32]), from: [127, 0, 0, 1].into() })
}

async fn subscribe(session: &mut Session, topic: &Topic) {
    let frame = ClientFrame::Subscribe { topic: topic.clone(), listed: Default::default() };
    session.on_text(&serde_json::to_string(&frame).unwrap()).await;
}

/// Receives frames until one fits. Returns all of them.
async fn receive_until(
    session: &Session,
    what: &str,
    fits: impl Fn(&ServerFrame) -> bool,
) -> Vec<ServerFrame> {
    let mut received: Vec<ServerFrame> = Vec::new();
    in_time(what, async {
        while !received.iter().any(&fits) {
            session.mailbox().filled().await;
            let frames = session.mailbox().take().frames;
            received.extend(frames.iter().map(|frame| read_frame(std::str::from_utf8(frame).unwrap())));
        }
    })
    .await;
    received
}

fn is_refused(frame: &ServerFrame) -> bool {
    matches!(frame, ServerFrame::Refused { .. })
}

async fn publish(node: &Node, topic: &Topic, key: &str) {
    let key = Key::try_from(key.to_owned()).unwrap();
    let payload = Payload::of(&"secret").unwrap();
    node.publish(topic.clone(), ada(), key, payload).await.unwrap();
}

#[tokio::test]
async fn a_subscriber_who_loses_their_permission_is_refused_at_once_and_gets_no_more_events() {
    let (node, rule) = node_with_gate(Semaphore::MAX_PERMITS).await;
    let mut reader = session(&node);
    let topic = probe("topic");
    subscribe(&mut reader, &topic).await;
    receive_until(&reader, "the head", |frame| matches!(frame, ServerFrame::Head { .. })).await;

    rule.allowed.store(false, Ordering::SeqCst);
    node.permissions_changed(&topic).await;
    receive_until(&reader, "the refusal", is_refused).await;
    publish(&node, &topic, "k1").await;
    reader.on_text(r#"{"ping":{"at":1}}"#).await;
    let frames = receive_until(&reader, "the pong", |frame| matches!(frame, ServerFrame::Pong { .. })).await;
    assert!(!frames.iter().any(|frame| matches!(frame, ServerFrame::Event(_))), "{frames:?}");
}

#[tokio::test]
async fn a_permission_that_ends_while_the_rule_answers_is_not_granted() {
    let (node, rule) = node_with_gate(0).await;
    let mut reader = session(&node);
    let topic = probe("topic");
    let in_between = async {
        rule.allowed.store(false, Ordering::SeqCst);
        node.permissions_changed(&topic).await;
    };
    tokio::join!(subscribe(&mut reader, &topic), rule.run_before_answer(in_between));
    let frames = receive_until(&reader, "the refusal", is_refused).await;
    assert!(!frames.iter().any(|frame| matches!(frame, ServerFrame::Head { .. })), "{frames:?}");
}

#[tokio::test]
async fn a_user_renamed_while_the_rule_answers_joins_under_the_new_name() {
    let (node, rule) = node_with_gate(0).await;
    let mut reader = session(&node);
    let topic = probe("topic");
    let in_between = async { node.rename(&ada().id, &DisplayName::parse("Countess").unwrap()) };
    tokio::join!(subscribe(&mut reader, &topic), rule.run_before_answer(in_between));
    let frames =
        receive_until(&reader, "the presence", |frame| matches!(frame, ServerFrame::Presence { .. })).await;
    let Some(ServerFrame::Presence { members, .. }) = frames.last() else {
        unreachable!("the last frame is a presence")
    };
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["Countess"]);
}
