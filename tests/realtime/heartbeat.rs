//! Heartbeats: a node sends pings, and closes sockets that do not answer.

use shared::{ClientFrame, ServerFrame};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::{Socket, TestServer, in_time, read_frame};

const EVERY_SECOND: [&str; 2] = ["--heartbeat-secs", "1"];

impl Socket {
    /// Receives the node's next ping, and skips everything else.
    async fn receive_ping(&mut self) -> i64 {
        loop {
            let message = in_time("a ping", self.next()).await;
            let message = message.expect("the socket is open").expect("the socket works");
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
    let (frames, code) = socket.receive_close().await;
    let pings = frames.iter().filter(|frame| matches!(frame, ServerFrame::Ping { .. })).count();
    assert_eq!((pings, code), (2, 4002));
}

#[tokio::test]
async fn a_client_that_answers_stays_connected() {
    let server = TestServer::with(&EVERY_SECOND);
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for _ in 0..4 {
        let at = socket.receive_ping().await;
        socket.send_frame(&ClientFrame::Pong { at }).await;
    }
}

#[tokio::test]
async fn any_frame_answers_a_ping() {
    let server = TestServer::with(&EVERY_SECOND);
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for _ in 0..4 {
        socket.receive_ping().await;
        socket.send_frame(&ClientFrame::Ping { at: 1 }).await;
    }
}

#[tokio::test]
async fn a_connection_that_vanished_is_closed_within_a_heartbeat_of_the_second_ping() {
    let server = TestServer::with(&["--heartbeat-secs", "8"]);
    let mut socket = server.socket(&server.guest("Ada").await).await;
    socket.receive_ping().await;
    socket.receive_ping().await;
    let pinged = std::time::Instant::now();
    assert_eq!(socket.receive_close().await.1, 4002);
    assert!(pinged.elapsed().as_secs() < 8, "closed {:?} after the second ping", pinged.elapsed());
}

#[tokio::test]
async fn an_unfinished_message_does_not_answer_a_ping_even_with_control_frames_inside() {
    let server = TestServer::with(&EVERY_SECOND);
    let mut socket = server.socket(&server.guest("Ada").await).await;
    let unfinished = Frame::message(&br#"{"ping""#[..], OpCode::Data(Data::Text), false);
    socket.send_message(Message::Frame(unfinished)).await.unwrap();
    loop {
        let message = in_time("the socket is closed", socket.next()).await;
        match message.expect("it is closed with a reason").expect("the socket works") {
            // Each ping of the node is answered, but not with a frame of the protocol.
            Message::Text(_) => socket.send_message(Message::Ping(Default::default())).await.unwrap(),
            Message::Close(close) => {
                assert_eq!(u16::from(close.expect("a reason").code), 4002);
                return;
            }
            _ => {}
        }
    }
}
