//! Signs of life: a node asks, and gives up on who does not answer.

use shared::{ClientFrame, ServerFrame};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::{Socket, TestServer, in_time, read_frame};

const EVERY_SECOND: [&str; 2] = ["--heartbeat-secs", "1"];

impl Socket {
    /// The next ping of the node. Everything else is passed over.
    async fn hears_ping(&mut self) -> i64 {
        loop {
            let message = in_time("a ping", self.next()).await.expect("still open").expect("still whole");
            if let Message::Text(text) = message
                && let ServerFrame::Ping { at } = read_frame(&text)
            {
                return at;
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_misses_two_pings_is_closed_with_4002() {
    let server = TestServer::with(&EVERY_SECOND);
    let socket = server.socket(&server.guest("Ada").await).await;
    let (frames, code) = socket.closed().await;
    let pings = frames.iter().filter(|frame| matches!(frame, ServerFrame::Ping { .. })).count();
    assert_eq!((pings, code), (2, 4002));
}

#[tokio::test]
async fn a_client_that_answers_stays() {
    let server = TestServer::with(&EVERY_SECOND);
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for _ in 0..4 {
        let at = socket.hears_ping().await;
        socket.says(&ClientFrame::Pong { at }).await;
    }
}

#[tokio::test]
async fn any_frame_is_a_sign_of_life() {
    let server = TestServer::with(&EVERY_SECOND);
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for _ in 0..4 {
        socket.hears_ping().await;
        socket.says(&ClientFrame::Ping { at: 1 }).await;
    }
}

#[tokio::test]
async fn a_connection_that_vanished_lives_for_two_heartbeats_and_a_last_chance() {
    let server = TestServer::with(&["--heartbeat-secs", "8"]);
    let mut socket = server.socket(&server.guest("Ada").await).await;
    socket.hears_ping().await;
    socket.hears_ping().await;
    let asked = std::time::Instant::now();
    assert_eq!(socket.closed().await.1, 4002);
    assert!(asked.elapsed().as_secs() < 8, "closed {:?} after the second ping", asked.elapsed());
}

#[tokio::test]
async fn a_message_without_an_end_is_no_sign_of_life_whatever_comes_in_its_midst() {
    let server = TestServer::with(&EVERY_SECOND);
    let mut socket = server.socket(&server.guest("Ada").await).await;
    let begun = Frame::message(&br#"{"ping""#[..], OpCode::Data(Data::Text), false);
    socket.sends(Message::Frame(begun)).await.unwrap();
    loop {
        match in_time("it is closed", socket.next())
            .await
            .expect("closed with a reason")
            .expect("still whole")
        {
            // Each beat of the node is answered, and by no frame of the protocol.
            Message::Text(_) => socket.sends(Message::Ping(Default::default())).await.unwrap(),
            Message::Close(close) => {
                assert_eq!(u16::from(close.expect("a reason").code), 4002);
                return;
            }
            _ => {}
        }
    }
}
