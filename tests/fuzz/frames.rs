//! Fuzzes the text frames of a client: its session must answer with valid frames, and its mailbox must stay bounded.
//!
//! Each line of the input is one text frame. After each frame, another user publishes to a topic to which the client
//! may be subscribed. The client reads as slowly as it can.

#![no_main]

#[path = "../support/probe/feature.rs"]
mod feature;
#[path = "../support/memory_log.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod memory_log;
mod node;

use libfuzzer_sys::{Corpus, fuzz_target};
use realtime::{Ending, Mailbox, Node, Session};
use server::limits::Limits;
use shared::{CloseReason, Payload, ServerFrame, Topic};

/// Small, so that it overflows within a few lines.
const MAILBOX_FRAMES_MAX: usize = 8;
/// The longest answer: a problem that repeats a part of what it is about.
const ANSWER_BYTES_MAX: usize = 32 * 1_024;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(input) else { return Corpus::Reject };
    node::run(run_session(text));
    Corpus::Keep
});

async fn run_session(text: &str) {
    let limits = Limits { mailbox_frames_max: MAILBOX_FRAMES_MAX as u32, ..node::limits() };
    let node = node::start(&limits);
    let mut neighbour = Session::open(&node, node::visitor("Grace"));
    neighbour.on_text(r#"{"subscribe":{"topic":"probe:topic"}}"#).await;
    let mut session = Session::open(&node, node::visitor("Ada"));
    for (number, line) in text.lines().enumerate() {
        // Like the loop of a socket, which reads nothing while answers do not fit.
        if !session.mailbox().can_answer() {
            drain(session.mailbox(), &limits);
            session.catch_up();
        }
        if line.len() > limits.frame_bytes_max as usize {
            session.on_unacceptable(CloseReason::TooLarge);
        } else {
            session.on_text(line).await;
        }
        publish(&node, number).await;
        if session.mailbox().ending().is_some() {
            break;
        }
    }
    drain(session.mailbox(), &limits);
    drop(session);
    neighbour.catch_up();
    neighbour.mailbox().take().frames.iter().for_each(|frame| assert_readable(frame));
    drop(neighbour);
    node.stop().await;
}

/// Takes all waiting frames, and checks them.
fn drain(mailbox: &Mailbox, limits: &Limits) {
    let batch = mailbox.take();
    let bytes: usize = batch.frames.iter().map(|frame| frame.len()).sum();
    assert!(batch.frames.len() <= MAILBOX_FRAMES_MAX + 1, "{} frames are waiting", batch.frames.len());
    assert!(bytes <= limits.mailbox_bytes_max as usize + ANSWER_BYTES_MAX, "{bytes} bytes are waiting");
    batch.frames.iter().for_each(|frame| assert_readable(frame));
    let expected = [CloseReason::TooManyErrors, CloseReason::TooLarge];
    assert!(batch.ending.is_none_or(|ending| expected.map(Ending::Close).contains(&ending)), "{batch:?}");
}

fn assert_readable(frame: &[u8]) {
    if let Err(error) = serde_json::from_slice::<ServerFrame>(frame) {
        panic!("{error}: {}", String::from_utf8_lossy(frame));
    }
}

async fn publish(node: &Node, number: usize) {
    let topic = Topic::new("probe", "topic").expect("a valid name");
    let key = format!("k{number}").try_into().expect("a valid key");
    let payload = Payload::of(&number).expect("a number is JSON");
    node.publish(topic, node::person("Grace"), key, payload).await.expect("the memory log accepts it");
}
