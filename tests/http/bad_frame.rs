//! Bad input on the socket: an `error` frame that names the rule, a close where reading on makes no sense, and
//! nobody else notices.

use shared::{ErrorCode, Problem, Seq, ServerFrame};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Person, Socket, TestServer, probe};

impl Socket {
    /// The next frame is an `error`.
    async fn hears_error(&mut self) -> Problem {
        match self.hears().await {
            ServerFrame::Error { problem } => problem,
            other => panic!("{other:?} in place of an error"),
        }
    }
}

/// A socket of somebody else still gets what is published.
async fn others_are_served(server: &TestServer, ada: &Person) {
    let mut other = server.socket(&server.guest("Grace").await).await;
    other.subscribes(&probe("topic")).await;
    let (_, head) = other.hears_head(&probe("topic")).await;
    assert_eq!(head, Seq::ZERO, "no frame has published anything");
    ada.publishes("topic", "k", "x").await;
    assert_eq!(other.hears_event().await.seq, Seq(1));
}

#[tokio::test]
async fn a_frame_that_cannot_be_read_gets_an_error_and_the_socket_stays() {
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
        socket.says_text(text).await;
        let problem = socket.hears_error().await;
        assert_eq!(problem.code, ErrorCode::Invalid, "{text}");
        assert!(problem.detail.contains(word), "{text}: {:?} says nothing of {word:?}", problem.detail);
    }
    socket.hears_nothing().await;
    others_are_served(&server, &ada).await;
}

#[tokio::test]
async fn fields_of_tomorrow_are_ignored() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    socket.says_text(r#"{"ping":{"at":7,"of":"tomorrow"}}"#).await;
    assert_eq!(socket.hears().await, ServerFrame::Pong { at: 7 });
}

#[tokio::test]
async fn a_binary_frame_is_told_so_and_closed_with_1003() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let mut socket = server.socket(&ada).await;
    socket.sends(Message::binary(&br#"{"ping":{"at":1}}"#[..])).await.unwrap();
    assert_eq!(socket.hears_error().await.code, ErrorCode::Invalid);
    assert_eq!(socket.closed().await.1, 1003);
    others_are_served(&server, &ada).await;
}

#[tokio::test]
async fn a_frame_over_the_limit_is_told_so_and_closed_with_1009() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    for bytes in [16_385, 60_000, 70_000, 1_000_000] {
        let mut socket = server.socket(&ada).await;
        // A peer that has closed may cut the rest off.
        socket.sends(Message::text("x".repeat(bytes))).await.ok();
        let (frames, code) = socket.closed().await;
        assert_eq!(code, 1009, "{bytes} bytes");
        let Some(ServerFrame::Error { problem }) = frames.last() else {
            panic!("{frames:?} after {bytes} bytes")
        };
        assert_eq!(problem.code, ErrorCode::TooLarge);
        assert!(problem.detail.contains("16384"), "{problem:?}");
    }
    others_are_served(&server, &ada).await;
}

#[tokio::test]
async fn what_is_no_frame_and_no_text_is_told_so_in_the_close() {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let not_utf8 = Frame::message(b"\xff\xfe".to_vec(), OpCode::Data(Data::Text), true);
    let nothing_to_go_on_with = Frame::message(b"x".to_vec(), OpCode::Data(Data::Continue), true);
    for (frame, expected) in [(not_utf8, 1007), (nothing_to_go_on_with, 1002)] {
        let mut socket = server.socket(&ada).await;
        socket.sends(Message::Frame(frame.clone())).await.unwrap();
        assert_eq!(socket.closed().await.1, expected, "{frame}");
    }
    others_are_served(&server, &ada).await;
}

#[tokio::test]
async fn a_frame_at_the_limit_is_read() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    let ping = r#"{"ping":{"at":7}}"#;
    socket.says_text(&format!("{ping}{}", " ".repeat(16_384 - ping.len()))).await;
    assert_eq!(socket.hears().await, ServerFrame::Pong { at: 7 });
}

#[tokio::test]
async fn a_frame_in_many_pieces_is_over_the_limit_too() {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for piece in 0..100 {
        let opcode = OpCode::Data(if piece == 0 { Data::Text } else { Data::Continue });
        let frame = Message::Frame(Frame::message(vec![b'x'; 1_000], opcode, piece == 99));
        if socket.sends(frame).await.is_err() {
            break;
        }
    }
    assert_eq!(socket.closed().await.1, 1009);
}

#[tokio::test]
async fn twenty_errors_within_a_minute_close_with_4000() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let mut socket = server.socket(&ada).await;
    for _ in 0..20 {
        socket.says_text("nonsense").await;
    }
    let (frames, code) = socket.closed().await;
    let errors = frames.iter().filter(|frame| matches!(frame, ServerFrame::Error { .. })).count();
    assert_eq!((errors, code), (20, 4000));
    others_are_served(&server, &ada).await;
}

#[tokio::test]
async fn nineteen_errors_do_not() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for _ in 0..19 {
        socket.says_text("nonsense").await;
        socket.hears_error().await;
    }
    socket.hears_nothing().await;
}

#[tokio::test]
async fn a_signal_must_be_small_and_come_from_there() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    let signal = |text: &str| format!(r#"{{"signal":{{"topic":"probe:topic","payload":"{text}"}}}}"#);
    socket.says_text(&signal("x")).await;
    assert_eq!(socket.hears_error().await.code, ErrorCode::Forbidden, "not subscribed");
    socket.subscribes(&probe("topic")).await;
    socket.hears_head(&probe("topic")).await;
    socket.says_text(&signal(&"x".repeat(1_023))).await;
    let problem = socket.hears_error().await;
    assert_eq!(problem.code, ErrorCode::TooLarge);
    assert!(problem.detail.contains("1024"), "{problem:?}");
    socket.says_text(&signal(&"x".repeat(1_022))).await;
    socket.hears_nothing().await;
}
