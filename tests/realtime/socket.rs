//! The socket, frame by frame: the node's answers and their order.

use std::time::{SystemTime, UNIX_EPOCH};

use shared::{ClientFrame, ErrorCode, Listed, Part, Payload, Problem, Seq, ServerFrame, Topic, endpoint};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::{Socket, TestServer, eventually, in_time, probe};

impl Socket {
    /// Receives a `refused` of a topic.
    async fn receive_refused(&mut self, of: &Topic) -> Problem {
        match self.receive().await {
            ServerFrame::Refused { topic, problem } if topic == *of => problem,
            other => panic!("expected a refusal of {of}, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_first_frame_is_a_welcome_with_the_identity_and_the_limits() {
    let server = TestServer::with(&["--heartbeat-secs", "7", "--frame-bytes-max", "5000"]);
    let ada = server.guest("Ada").await;
    let clock_ms = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let before = clock_ms();
    let mut socket = server.socket_before_welcome(&ada).await;
    let welcome = socket.receive_welcome().await;
    assert!((before..=clock_ms()).contains(&welcome.now), "the node reports its time");

    assert_eq!((welcome.protocol, welcome.you), (1, ada.identity));
    assert_eq!((welcome.heartbeat_secs, welcome.limits.frame_bytes_max), (7, 5_000));
    assert_eq!((welcome.limits.payload_bytes_max, welcome.limits.session_topics_max), (8_192, 100));
    assert!(!welcome.build.is_empty() && !welcome.node.is_empty() && !welcome.session.is_empty());
    let confirmed = socket.handshake.headers().get("sec-websocket-protocol").unwrap();
    assert_eq!(confirmed, endpoint::SUBPROTOCOL);
}

#[tokio::test]
async fn another_subprotocol_is_not_confirmed() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let both = [("sec-websocket-protocol", "graphql-ws, duplex.v1.json")];
    let socket = Socket::open(&ada, &both).await.unwrap();
    assert_eq!(socket.handshake.headers().get("sec-websocket-protocol").unwrap(), endpoint::SUBPROTOCOL);
    let other = ada.handshake(&[("sec-websocket-protocol", "graphql-ws")]).await;
    assert_eq!((other.status, other.header("sec-websocket-protocol")), (101, ""));
}

#[tokio::test]
async fn a_subscription_begins_with_the_head_and_continues_without_a_gap() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "before", 3).await;
    let mut socket = server.socket(&ada).await;
    socket.subscribe(&topic).await;

    let (epoch, seq) = socket.receive_head(&topic).await;
    let page = ada.pull(&topic, Part::Newest).await;
    assert_eq!((epoch, seq), (page.epoch, Seq(3)));
    ada.publish_many("topic", "after", 3).await;
    for seq in 4..=6 {
        let event = socket.receive_event().await;
        assert_eq!((event.seq, &event.topic, &event.author), (Seq(seq), &topic, &ada.identity));
        assert_eq!(
            event,
            ada.pull(&topic, Part::After(Seq(seq - 1))).await.events[0],
            "a pushed event equals the pulled one"
        );
    }
    socket.assert_silent().await;
}

#[tokio::test]
async fn an_empty_topic_has_a_head_too() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    socket.subscribe(&probe("empty")).await;
    assert_eq!(socket.receive_head(&probe("empty")).await.1, Seq::ZERO);
}

#[tokio::test]
async fn subscribing_again_is_harmless() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let mut socket = server.socket(&ada).await;
    for _ in 0..3 {
        socket.subscribe(&topic).await;
        socket.receive_head(&topic).await;
    }
    ada.publish("topic", "k", "x").await;
    assert_eq!(socket.receive_event().await.seq, Seq(1));
    socket.assert_silent().await;
}

#[tokio::test]
async fn an_unsubscribed_topic_is_not_pushed_and_unsubscribing_twice_is_harmless() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let mut leaver = server.socket(&ada).await;
    let mut stayer = server.socket(&ada).await;
    for socket in [&mut leaver, &mut stayer] {
        socket.subscribe(&topic).await;
        socket.receive_head(&topic).await;
    }
    for _ in 0..2 {
        leaver.send_frame(&ClientFrame::Unsubscribe { topic: topic.clone() }).await;
        leaver.assert_silent().await;
    }
    ada.publish("topic", "k", "x").await;
    stayer.receive_event().await;
    leaver.assert_silent().await;
}

#[tokio::test]
async fn unreadable_topics_are_refused_and_the_socket_stays_open() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    let unknown = Topic::new("nowhere", "topic").unwrap();
    let private = probe("private-topic");
    socket.subscribe(&unknown).await;
    let problem = socket.receive_refused(&unknown).await;
    assert_eq!(problem.code, ErrorCode::NotFound);
    assert!(problem.detail.contains("nowhere"), "{problem:?}");
    socket.subscribe(&private).await;
    assert_eq!(socket.receive_refused(&private).await.code, ErrorCode::Forbidden);

    socket.subscribe(&probe("topic")).await;
    socket.receive_head(&probe("topic")).await;
}

#[tokio::test]
async fn a_refused_topic_is_not_pushed() {
    let server = TestServer::start();
    let private = probe("private-topic");
    let ada = server.guest("Ada").await;
    let mut socket = server.socket(&ada).await;
    socket.subscribe(&private).await;
    socket.receive_refused(&private).await;
    ada.publish("private-topic", "k", "secret").await;
    socket.assert_silent().await;
}

#[tokio::test]
async fn one_topic_too_many_is_refused_until_another_is_left() {
    let server = TestServer::with(&["--session-topics-max", "2"]);
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for name in ["a", "b"] {
        socket.subscribe(&probe(name)).await;
        socket.receive_head(&probe(name)).await;
    }
    socket.subscribe(&probe("c")).await;
    let problem = socket.receive_refused(&probe("c")).await;
    assert_eq!(problem.code, ErrorCode::TooMany);
    assert!(problem.detail.contains('2'), "{problem:?}");
    socket.subscribe(&probe("b")).await;
    socket.receive_head(&probe("b")).await;

    socket.send_frame(&ClientFrame::Unsubscribe { topic: probe("a") }).await;
    socket.subscribe(&probe("c")).await;
    socket.receive_head(&probe("c")).await;
}

#[tokio::test]
async fn a_ping_is_answered_with_its_own_time() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for at in [0, 1_795_357_200_123, i64::MAX] {
        socket.send_frame(&ClientFrame::Ping { at }).await;
        assert_eq!(socket.receive().await, ServerFrame::Pong { at });
    }
    socket.send_message(Message::Ping("of the protocol below".into())).await.unwrap();
    let pong = socket.next().await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong("of the protocol below".into()));
}

#[tokio::test]
async fn a_signal_reaches_the_others_and_is_never_logged() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let grace = server.guest("Grace").await;
    let mut from = server.socket(&ada).await;
    let mut to = server.socket(&grace).await;
    for socket in [&mut from, &mut to] {
        socket.subscribe(&topic).await;
        socket.receive_head(&topic).await;
    }
    let payload = Payload::of(&"typing").unwrap();
    from.send_frame(&ClientFrame::Signal { topic: topic.clone(), payload: payload.clone() }).await;
    assert_eq!(
        to.receive().await,
        ServerFrame::Signal { topic: topic.clone(), from: ada.identity.clone(), payload }
    );
    from.assert_silent().await;
    assert_eq!(ada.head(&topic).await, Seq::ZERO);
}

#[tokio::test]
async fn an_unlisted_subscriber_gets_events_and_may_not_signal() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let mut overview = server.socket(&ada).await;
    overview.send_frame(&ClientFrame::Subscribe { topic: topic.clone(), listed: Listed::No }).await;
    overview.receive_head(&topic).await;
    ada.publish("topic", "k", "x").await;
    assert_eq!(overview.receive_event().await.seq, Seq(1));

    overview.send_frame(&ClientFrame::Signal { topic, payload: Payload::of(&"typing").unwrap() }).await;
    match overview.receive().await {
        ServerFrame::Error { problem } => assert_eq!(problem.code, ErrorCode::Forbidden),
        other => panic!("expected an error, got {other:?}"),
    }
}

#[tokio::test]
async fn two_windows_of_one_person_both_get_events_and_signing_out_closes_both() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let mut first = server.socket(&ada).await;
    let mut second = server.socket(&ada).await;
    for socket in [&mut first, &mut second] {
        socket.subscribe(&topic).await;
        socket.receive_head(&topic).await;
    }
    ada.publish("topic", "k", "x").await;
    assert_eq!((first.receive_event().await.seq, second.receive_event().await.seq), (Seq(1), Seq(1)));
    ada.delete(endpoint::ME).await;
    assert_eq!((first.receive_close().await.1, second.receive_close().await.1), (4001, 4001));
}

#[tokio::test]
async fn a_close_frame_is_echoed() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    for close in [None, Some(CloseFrame { code: CloseCode::Away, reason: "moving on".into() })] {
        let mut socket = server.socket(&ada).await;
        socket.send_message(Message::Close(close.clone())).await.unwrap();
        let answer = in_time("the close is answered", socket.next()).await;
        assert_eq!(answer.unwrap().unwrap(), Message::Close(close));
    }
}

#[tokio::test]
async fn an_open_socket_counts_as_a_connection_of_its_address() {
    let server = TestServer::with(&["--address-connections-max", "2"]);
    let ada = server.guest("Ada").await;
    let _first = server.socket(&ada).await;
    // The connection of the sign-in counts until the node has noticed its end.
    let _second =
        eventually("a second socket is accepted", async || Socket::open(&ada, &[]).await.ok()).await;
    assert!(ada.try_get(endpoint::ME).await.is_err(), "a third connection is accepted");
}
