//! The socket, frame by frame: what a node answers, and in which order.

use std::time::{SystemTime, UNIX_EPOCH};

use shared::{ClientFrame, ErrorCode, Listed, Payload, Problem, Seq, ServerFrame, Topic, endpoint};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::{Socket, TestServer, eventually, in_time, probe};

impl Socket {
    /// The next frame refuses this topic.
    async fn hears_refused(&mut self, of: &Topic) -> Problem {
        match self.hears().await {
            ServerFrame::Refused { topic, problem } if topic == *of => problem,
            other => panic!("{other:?} in place of a refusal of {of}"),
        }
    }
}

#[tokio::test]
async fn the_first_frame_is_a_welcome_that_says_who_and_what_holds() {
    let server = TestServer::with(&["--heartbeat-secs", "7", "--frame-bytes-max", "5000"]);
    let ada = server.guest("Ada").await;
    let clock_ms = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let before = clock_ms();
    let mut socket = server.unheard_socket(&ada).await;
    let welcome = socket.hears_welcome().await;
    assert!((before..=clock_ms()).contains(&welcome.now), "node and test share a clock");

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
async fn a_subscription_begins_with_the_head_and_goes_on_without_a_hole() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.guest("Ada").await;
    ada.publishes_many("topic", "before", 3).await;
    let mut socket = server.socket(&ada).await;
    socket.subscribes(&topic).await;

    let (epoch, seq) = socket.hears_head(&topic).await;
    let page = ada.pull(&topic, shared::Part::Newest).await;
    assert_eq!((epoch, seq), (page.epoch, Seq(3)));
    ada.publishes_many("topic", "after", 3).await;
    for seq in 4..=6 {
        let event = socket.hears_event().await;
        assert_eq!((event.seq, &event.topic, &event.author), (Seq(seq), &topic, &ada.identity));
        assert_eq!(
            event,
            ada.pull(&topic, shared::Part::After(Seq(seq - 1))).await.events[0],
            "as in a page"
        );
    }
    socket.hears_nothing().await;
}

#[tokio::test]
async fn an_empty_topic_has_a_head_too() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    socket.subscribes(&probe("empty")).await;
    assert_eq!(socket.hears_head(&probe("empty")).await.1, Seq::ZERO);
}

#[tokio::test]
async fn asking_again_is_harmless() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.guest("Ada").await;
    let mut socket = server.socket(&ada).await;
    for _ in 0..3 {
        socket.subscribes(&topic).await;
        socket.hears_head(&topic).await;
    }
    ada.publishes("topic", "k", "x").await;
    assert_eq!(socket.hears_event().await.seq, Seq(1));
    socket.hears_nothing().await;
}

#[tokio::test]
async fn after_unsubscribe_nothing_comes_and_doing_it_twice_is_harmless() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.guest("Ada").await;
    let (mut leaver, mut stayer) = (server.socket(&ada).await, server.socket(&ada).await);
    for socket in [&mut leaver, &mut stayer] {
        socket.subscribes(&topic).await;
        socket.hears_head(&topic).await;
    }
    for _ in 0..2 {
        leaver.says(&ClientFrame::Unsubscribe { topic: topic.clone() }).await;
        leaver.hears_nothing().await;
    }
    ada.publishes("topic", "k", "x").await;
    stayer.hears_event().await;
    leaver.hears_nothing().await;
}

#[tokio::test]
async fn topics_that_may_not_be_read_are_refused_and_the_socket_stays() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    let (unknown, private) = (Topic::new("nowhere", "topic").unwrap(), probe("private-topic"));
    socket.subscribes(&unknown).await;
    let problem = socket.hears_refused(&unknown).await;
    assert_eq!(problem.code, ErrorCode::NotFound);
    assert!(problem.detail.contains("nowhere"), "{problem:?}");
    socket.subscribes(&private).await;
    assert_eq!(socket.hears_refused(&private).await.code, ErrorCode::Forbidden);

    socket.subscribes(&probe("topic")).await;
    socket.hears_head(&probe("topic")).await;
}

#[tokio::test]
async fn a_refused_topic_is_not_pushed() {
    let (server, private) = (TestServer::start(), probe("private-topic"));
    let ada = server.guest("Ada").await;
    let mut socket = server.socket(&ada).await;
    socket.subscribes(&private).await;
    socket.hears_refused(&private).await;
    ada.publishes("private-topic", "k", "secret").await;
    socket.hears_nothing().await;
}

#[tokio::test]
async fn one_topic_more_than_allowed_is_refused_until_another_is_left() {
    let server = TestServer::with(&["--session-topics-max", "2"]);
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for name in ["a", "b"] {
        socket.subscribes(&probe(name)).await;
        socket.hears_head(&probe(name)).await;
    }
    socket.subscribes(&probe("c")).await;
    let problem = socket.hears_refused(&probe("c")).await;
    assert_eq!(problem.code, ErrorCode::TooMany);
    assert!(problem.detail.contains('2'), "{problem:?}");
    socket.subscribes(&probe("b")).await;
    socket.hears_head(&probe("b")).await;

    socket.says(&ClientFrame::Unsubscribe { topic: probe("a") }).await;
    socket.subscribes(&probe("c")).await;
    socket.hears_head(&probe("c")).await;
}

#[tokio::test]
async fn a_ping_is_answered_with_its_own_time() {
    let server = TestServer::start();
    let mut socket = server.socket(&server.guest("Ada").await).await;
    for at in [0, 1_795_357_200_123, i64::MAX] {
        socket.says(&ClientFrame::Ping { at }).await;
        assert_eq!(socket.hears().await, ServerFrame::Pong { at });
    }
    socket.sends(Message::Ping("of the protocol below".into())).await.unwrap();
    let pong = socket.next().await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong("of the protocol below".into()));
}

#[tokio::test]
async fn a_signal_reaches_the_others_and_is_never_logged() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let (ada, grace) = (server.guest("Ada").await, server.guest("Grace").await);
    let (mut from, mut to) = (server.socket(&ada).await, server.socket(&grace).await);
    for socket in [&mut from, &mut to] {
        socket.subscribes(&topic).await;
        socket.hears_head(&topic).await;
    }
    let payload = Payload::of(&"typing").unwrap();
    from.says(&ClientFrame::Signal { topic: topic.clone(), payload: payload.clone() }).await;
    assert_eq!(
        to.hears().await,
        ServerFrame::Signal { topic: topic.clone(), from: ada.identity.clone(), payload }
    );
    from.hears_nothing().await;
    assert_eq!(ada.head(&topic).await, Seq::ZERO);
}

#[tokio::test]
async fn who_is_not_listed_hears_everything_and_may_not_signal() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.guest("Ada").await;
    let mut overview = server.socket(&ada).await;
    overview.says(&ClientFrame::Subscribe { topic: topic.clone(), listed: Listed::No }).await;
    overview.hears_head(&topic).await;
    ada.publishes("topic", "k", "x").await;
    assert_eq!(overview.hears_event().await.seq, Seq(1));

    overview.says(&ClientFrame::Signal { topic, payload: Payload::of(&"typing").unwrap() }).await;
    match overview.hears().await {
        ServerFrame::Error { problem } => assert_eq!(problem.code, ErrorCode::Forbidden),
        other => panic!("{other:?} in place of an error"),
    }
}

#[tokio::test]
async fn one_person_in_two_windows_gets_everything_in_both_and_signing_out_closes_both() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.guest("Ada").await;
    let (mut first, mut second) = (server.socket(&ada).await, server.socket(&ada).await);
    for socket in [&mut first, &mut second] {
        socket.subscribes(&topic).await;
        socket.hears_head(&topic).await;
    }
    ada.publishes("topic", "k", "x").await;
    assert_eq!((first.hears_event().await.seq, second.hears_event().await.seq), (Seq(1), Seq(1)));
    ada.delete(endpoint::ME).await;
    assert_eq!((first.closed().await.1, second.closed().await.1), (4001, 4001));
}

#[tokio::test]
async fn a_client_that_closes_gets_its_close_back() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    for close in [None, Some(CloseFrame { code: CloseCode::Away, reason: "moving on".into() })] {
        let mut socket = server.socket(&ada).await;
        socket.sends(Message::Close(close.clone())).await.unwrap();
        let answer = in_time("the close is answered", socket.next()).await;
        assert_eq!(answer.unwrap().unwrap(), Message::Close(close));
    }
}

#[tokio::test]
async fn an_open_socket_is_one_of_its_address_connections() {
    let server = TestServer::with(&["--address-connections-max", "2"]);
    let ada = server.guest("Ada").await;
    let _first = server.socket(&ada).await;
    // The connection on which she named herself counts until the node has noticed its end.
    let _second = eventually("there is room", async || Socket::open(&ada, &[]).await.ok()).await;
    assert!(ada.try_get(endpoint::ME).await.is_err(), "a third connection is let in");
}
