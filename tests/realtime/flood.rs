//! A client that sends far too much: it is slowed down or disconnected, and nobody else notices.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use shared::{ClientFrame, CloseReason, Listed, Payload};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Person, Socket, TestServer, probe};

const FRAMES: usize = 10_000;
/// More than a publish and its push take on a busy machine.
const NOTICEABLE: Duration = Duration::from_secs(1);
const MEMORY_BYTES_MAX: u64 = 8 << 20;

/// Sends a text many times, and stops if the node accepts nothing for a second.
async fn flood(server: &TestServer, person: &Person, text: &str) -> Socket {
    let mut socket = server.socket(person).await;
    for _ in 0..FRAMES {
        let sent = timeout(Duration::from_secs(1), socket.send_message(Message::text(text))).await;
        if !matches!(sent, Ok(Ok(()))) {
            break;
        }
    }
    socket
}

fn text(frame: &ClientFrame) -> String {
    serde_json::to_string(frame).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_frames_in_a_second_do_not_affect_anybody_else() {
    let server = TestServer::start();
    let topic = probe("topic");
    let eve = server.guest("Eve").await;
    let ada = server.browser("Ada", &[&topic]).await;
    let memory = server.rss_bytes();
    let payload = Payload::of(&"x").unwrap();
    let frames = [
        text(&ClientFrame::Ping { at: 1 }),
        text(&ClientFrame::Pong { at: 4_711 }),
        text(&ClientFrame::Signal { topic: topic.clone(), payload }),
        text(&ClientFrame::Subscribe { topic: topic.clone(), listed: Listed::Yes }),
        String::from("nonsense"),
    ];
    let floods = join_all(frames.iter().map(|frame| flood(&server, &eve, frame)));
    let conversation = async {
        let mut latencies = Vec::new();
        for number in 1..=40 {
            let before = Instant::now();
            ada.person.publish("topic", &format!("k{number}"), "x").await;
            ada.wait_for_seq(&topic, number).await;
            latencies.push(before.elapsed());
        }
        latencies
    };
    let (sockets, mut latencies) = tokio::join!(floods, conversation);
    // A busy machine may delay one or two. Floods would delay all.
    latencies.sort();
    assert!(latencies[30] < NOTICEABLE, "the latencies are {latencies:?}");
    assert_eq!(ada.topic_record(&topic).pulls, 1, "all events were pushed");
    let grown = server.rss_bytes().saturating_sub(memory);
    assert!(grown < MEMORY_BYTES_MAX, "the node grew by {} KiB", grown >> 10);
    drop(sockets);
}

#[tokio::test]
async fn an_unsolicited_pong_is_ignored() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for at in 0..100 {
        socket.send_frame(&ClientFrame::Pong { at }).await;
    }
    socket.assert_silent().await;
}

#[tokio::test]
async fn a_client_that_only_sends_nonsense_is_rejected_for_good() {
    let server = TestServer::start();
    let socket = flood(&server, &server.guest("Eve").await, "nonsense").await;
    let (_, code) = socket.receive_close().await;
    assert!(code == 1006 || !CloseReason::from_code(code).comes_back(), "{code}");
}
