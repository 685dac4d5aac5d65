//! A client that says far too much: it is slowed down or sent away, and nobody else notices.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use shared::{ClientFrame, CloseReason, Listed, Payload};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Person, Socket, TestServer, probe};

const FRAMES: usize = 10_000;
/// What a publish and its push take on a busy machine.
const NOTICEABLE: Duration = Duration::from_secs(1);
const MEMORY_BYTES_MAX: u64 = 8 << 20;

/// Says it again and again, until all was said or the node takes no more for a second.
async fn flood(server: &TestServer, person: &Person, text: &str) -> Socket {
    let mut socket = server.socket(person).await;
    for _ in 0..FRAMES {
        let said = timeout(Duration::from_secs(1), socket.sends(Message::text(text))).await;
        if !matches!(said, Ok(Ok(()))) {
            break;
        }
    }
    socket
}

fn text(frame: &ClientFrame) -> String {
    serde_json::to_string(frame).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_frames_in_a_second_are_noticed_by_nobody_else() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let (eve, ada) = (server.guest("Eve").await, server.browser("Ada", &[&topic]).await);
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
    let talk = async {
        let mut took = Vec::new();
        for number in 1..=40 {
            let before = Instant::now();
            ada.person.publishes("topic", &format!("k{number}"), "x").await;
            ada.reaches(&topic, number).await;
            took.push(before.elapsed());
        }
        took
    };
    let (sockets, mut took) = tokio::join!(floods, talk);
    // A busy machine holds up one or two; what the floods hold up, they hold up all the time.
    took.sort();
    assert!(took[30] < NOTICEABLE, "the events took {took:?}");
    assert_eq!(ada.reading(&topic).pulls, 1, "all were pushed");
    let grown = server.rss_bytes().saturating_sub(memory);
    assert!(grown < MEMORY_BYTES_MAX, "{} KiB more", grown >> 10);
    drop(sockets);
}

#[tokio::test]
async fn a_pong_that_nobody_asked_for_is_no_error_and_no_answer() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for at in 0..100 {
        socket.says(&ClientFrame::Pong { at }).await;
    }
    socket.hears_nothing().await;
}

#[tokio::test]
async fn who_talks_nonsense_without_end_is_sent_away_for_good() {
    let server = TestServer::start();
    let socket = flood(&server, &server.guest("Eve").await, "nonsense").await;
    let (_, code) = socket.closed().await;
    assert!(code == 1006 || !CloseReason::from_code(code).comes_back(), "{code}");
}
