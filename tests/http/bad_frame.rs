//! Bad input on the socket: the client gets an `error` frame that names the rule, or a close if it makes no sense to
//! read on, and nobody else notices.

use shared::{ErrorCode, Problem, Seq, ServerFrame};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Person, Socket, TestServer, probe};

impl Socket {
    async fn receive_error(&mut self) -> Problem {
        match self.receive().await {
            ServerFrame::Error { problem } => problem,
            other => panic!("expected an error, got {other:?}"),
        }
    }
}

/// Asserts that another user's socket still gets events.
async fn assert_others_are_served(server: &TestServer, ada: &Person) {
    let mut other = server.socket(&server.guest("Grace").await).await;
    other.subscribe(&probe("topic")).await;
    let (_, head) = other.receive_head(&probe("topic")).await;
    assert_eq!(head, Seq::ZERO, "no bad frame has published an event");
    ada.publish("topic", "k", "x").await;
    assert_eq!(other.receive_event().await.seq, Seq(1));
}

#[tokio::test]
async fn an_invalid_frame_gets_an_error_and_the_socket_stays_open() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let mut socket = server.socket(&ada).await;
    for (text, word) in [
        ("", "JSON"),
        ("hello", "JSON"),
        ("{", "JSON"),
        ("7", "object"),
        ("null", "object"),
        ("[]", "object"),
        (r#""ping""#, ""),
        ("{}", "key"),
        (r#"{"shout":{}}"#, "shout"),
        (r#"{"Ping":{"at":1}}"#, "Ping"),
        (r#"{"ping":{}}"#, "at"),
        (r#"{"ping":{"at":"now"}}"#, "ping.at"),
        (r#"{"ping":{"at":1},"pong":{"at":1}}"#, "key"),
        (r#"{"subscribe":{}}"#, "topic"),
        (r#"{"subscribe":{"topic":"Topic"}}"#, "subscribe.topic"),
        (r#"{"subscribe":{"topic":"probe:topic","listed":"yes"}}"#, "boolean"),
        (r#"{"welcome":{}}"#, "welcome"),
    ] {
        socket.send_text(text).await;
        let problem = socket.receive_error().await;
        assert_eq!(problem.code, ErrorCode::Invalid, "{text}");
        assert!(problem.detail.contains(word), "{text}: {:?} does not contain {word:?}", problem.detail);
    }
    socket.assert_silent().await;
    assert_others_are_served(&server, &ada).await;
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    socket.send_text(r#"{"ping":{"at":7,"of":"tomorrow"}}"#).await;
    assert_eq!(socket.receive().await, ServerFrame::Pong { at: 7 });
}

#[tokio::test]
async fn a_binary_frame_gets_an_error_and_a_close_with_1003() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let mut socket = server.socket(&ada).await;
    socket.send_message(Message::binary(&br#"{"ping":{"at":1}}"#[..])).await.unwrap();
    assert_eq!(socket.receive_error().await.code, ErrorCode::Invalid);
    assert_eq!(socket.receive_close().await.1, 1003);
    assert_others_are_served(&server, &ada).await;
}

#[tokio::test]
async fn a_frame_over_the_limit_gets_an_error_and_a_close_with_1009() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    for bytes in [16_385, 60_000, 70_000, 1_000_000] {
        let mut socket = server.socket(&ada).await;
        // It fails if the node has closed the connection already.
        socket.send_message(Message::text("x".repeat(bytes))).await.ok();
        let (frames, code) = socket.receive_close().await;
        assert_eq!(code, 1009, "{bytes} bytes");
        let Some(ServerFrame::Error { problem }) = frames.last() else {
            panic!("{frames:?} after {bytes} bytes")
        };
        assert_eq!(problem.code, ErrorCode::TooLarge);
        assert!(problem.detail.contains("16384"), "{problem:?}");
    }
    assert_others_are_served(&server, &ada).await;
}

#[tokio::test]
async fn invalid_utf8_and_a_stray_continuation_are_closed_with_their_own_codes() {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let not_utf8 = Frame::message(b"\xff\xfe".to_vec(), OpCode::Data(Data::Text), true);
    let continues_nothing = Frame::message(b"x".to_vec(), OpCode::Data(Data::Continue), true);
    for (frame, expected) in [(not_utf8, 1007), (continues_nothing, 1002)] {
        let mut socket = server.socket(&ada).await;
        socket.send_message(Message::Frame(frame.clone())).await.unwrap();
        assert_eq!(socket.receive_close().await.1, expected, "{frame}");
    }
    assert_others_are_served(&server, &ada).await;
}

#[tokio::test]
async fn a_frame_at_the_limit_is_read() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    let ping = r#"{"ping":{"at":7}}"#;
    socket.send_text(&format!("{ping}{}", " ".repeat(16_384 - ping.len()))).await;
    assert_eq!(socket.receive().await, ServerFrame::Pong { at: 7 });
}

#[tokio::test]
async fn a_fragmented_frame_over_the_limit_is_closed_too() {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for piece in 0..100 {
        let opcode = OpCode::Data(if piece == 0 { Data::Text } else { Data::Continue });
        let frame = Message::Frame(Frame::message(vec![b'x'; 1_000], opcode, piece == 99));
        if socket.send_message(frame).await.is_err() {
            break;
        }
    }
    assert_eq!(socket.receive_close().await.1, 1009);
}

#[tokio::test]
async fn twenty_errors_within_a_minute_close_with_4000() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let mut socket = server.socket(&ada).await;
    for _ in 0..20 {
        socket.send_text("nonsense").await;
    }
    let (frames, code) = socket.receive_close().await;
    let errors = frames.iter().filter(|frame| matches!(frame, ServerFrame::Error { .. })).count();
    assert_eq!((errors, code), (20, 4000));
    assert_others_are_served(&server, &ada).await;
}

#[tokio::test]
async fn nineteen_errors_do_not_close_the_socket() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for _ in 0..19 {
        socket.send_text("nonsense").await;
        socket.receive_error().await;
    }
    socket.assert_silent().await;
}

#[tokio::test]
async fn a_signal_must_be_small_and_needs_a_subscription() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    let signal = |text: &str| format!(r#"{{"signal":{{"topic":"probe:topic","payload":"{text}"}}}}"#);
    socket.send_text(&signal("x")).await;
    assert_eq!(socket.receive_error().await.code, ErrorCode::Forbidden, "not subscribed");
    socket.subscribe(&probe("topic")).await;
    socket.receive_head(&probe("topic")).await;
    socket.send_text(&signal(&"x".repeat(1_023))).await;
    let problem = socket.receive_error().await;
    assert_eq!(problem.code, ErrorCode::TooLarge);
    assert!(problem.detail.contains("1024"), "{problem:?}");
    socket.send_text(&signal(&"x".repeat(1_022))).await;
    socket.assert_silent().await;
}
