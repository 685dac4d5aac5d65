//! A permission that ends is felt at once, also by who was just being let in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use realtime::{AccessRule, Node, Session, SignInId, Visitor};
use shared::{ClientFrame, DisplayName, Identity, Key, Payload, ServerFrame, Topic, UserId};
use tokio::sync::Semaphore;

use crate::support::node::node;
use crate::support::{MemoryLog, in_time, probe, read_frame};

/// Says what is true, or makes everyone wait who asks.
struct Rule {
    allowed: AtomicBool,
    gate: Semaphore,
    asked: Semaphore,
}

#[async_trait]
impl AccessRule for Rule {
    async fn may_read(&self, _who: &Identity, _topic: &Topic) -> bool {
        let answer = self.allowed.load(Ordering::SeqCst);
        self.asked.add_permits(1);
        self.gate.acquire().await.expect("it is never closed").forget();
        answer
    }
}

impl Rule {
    /// Lets something happen after the rule has looked, and before it answers.
    async fn before_it_answers(&self, work: impl Future<Output = ()>) {
        self.asked.acquire().await.unwrap().forget();
        work.await;
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}

async fn node_that_asks(open: usize) -> (Arc<Node>, Arc<Rule>) {
    let allowed = AtomicBool::new(true);
    let rule = Arc::new(Rule { allowed, gate: Semaphore::new(open), asked: Semaphore::new(0) });
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

/// The frames up to the first that fits, that one included.
async fn hears(session: &Session, what: &str, fits: impl Fn(&ServerFrame) -> bool) -> Vec<ServerFrame> {
    let mut heard: Vec<ServerFrame> = Vec::new();
    in_time(what, async {
        while !heard.iter().any(&fits) {
            session.mailbox().filled().await;
            let frames = session.mailbox().take().frames;
            heard.extend(frames.iter().map(|frame| read_frame(std::str::from_utf8(frame).unwrap())));
        }
    })
    .await;
    heard
}

fn is_refused(frame: &ServerFrame) -> bool {
    matches!(frame, ServerFrame::Refused { .. })
}

async fn publish(node: &Node, topic: &Topic, key: &str) {
    let (key, payload) = (Key::try_from(key.to_owned()).unwrap(), Payload::of(&"secret").unwrap());
    node.publish(topic.clone(), ada(), key, payload).await.unwrap();
}

#[tokio::test]
async fn who_listens_is_refused_at_once_and_hears_nothing_more() {
    let (node, rule) = node_that_asks(Semaphore::MAX_PERMITS).await;
    let (mut reader, topic) = (session(&node), probe("topic"));
    subscribe(&mut reader, &topic).await;
    hears(&reader, "the head", |frame| matches!(frame, ServerFrame::Head { .. })).await;

    rule.allowed.store(false, Ordering::SeqCst);
    node.permissions_changed(&topic).await;
    hears(&reader, "the refusal", is_refused).await;
    publish(&node, &topic, "k1").await;
    reader.on_text(r#"{"ping":{"at":1}}"#).await;
    let heard = hears(&reader, "the pong", |frame| matches!(frame, ServerFrame::Pong { .. })).await;
    assert!(!heard.iter().any(|frame| matches!(frame, ServerFrame::Event(_))), "{heard:?}");
}

#[tokio::test]
async fn a_permission_that_ends_while_it_is_asked_for_lets_nobody_in() {
    let (node, rule) = node_that_asks(0).await;
    let (mut reader, topic) = (session(&node), probe("topic"));
    let meanwhile = async {
        rule.allowed.store(false, Ordering::SeqCst);
        node.permissions_changed(&topic).await;
    };
    tokio::join!(subscribe(&mut reader, &topic), rule.before_it_answers(meanwhile));
    let heard = hears(&reader, "the refusal", is_refused).await;
    assert!(!heard.iter().any(|frame| matches!(frame, ServerFrame::Head { .. })), "{heard:?}");
}

#[tokio::test]
async fn who_is_renamed_while_it_is_asked_for_comes_in_under_the_new_name() {
    let (node, rule) = node_that_asks(0).await;
    let (mut reader, topic) = (session(&node), probe("topic"));
    let meanwhile = async { node.rename(&ada().id, &DisplayName::parse("Countess").unwrap()) };
    tokio::join!(subscribe(&mut reader, &topic), rule.before_it_answers(meanwhile));
    let heard = hears(&reader, "who is here", |frame| matches!(frame, ServerFrame::Presence { .. })).await;
    let Some(ServerFrame::Presence { members, .. }) = heard.last() else { unreachable!("it was heard last") };
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["Countess"]);
}
