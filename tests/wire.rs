//! The wire as text: one golden file for each shape, so that every change is visible.

use shared::{
    Ack, ClientFrame, Epoch, ErrorCode, Event, EventPage, Identity, Key, Listed, Member, NewIdentity,
    Payload, Position, Problem, Seq, ServerFrame, SessionLimits, Topic, UserId, Welcome,
};

use crate::support::golden::assert_golden;
use crate::support::probe;

fn epoch() -> Epoch {
    Epoch::try_from(String::from("k3v9Zt0q")).unwrap()
}

fn ada() -> Identity {
    Identity {
        id: UserId("u_7Qm2xLr90aBcDeFg".into()),
        name: String::from("Ada Lovelace").try_into().unwrap(),
    }
}

fn event(seq: u64) -> Event {
    Event {
        topic: probe("general"),
        seq: Seq(seq),
        at: 1_795_357_200_123,
        author: ada(),
        key: Key::try_from("0f9c_a-7").unwrap(),
        payload: Payload::from_json(r#"{"text":"grüß dich 🦀"}"#.into()).unwrap(),
    }
}

fn topic() -> Topic {
    probe("general")
}

#[test]
fn client_frames_are_pinned() {
    let payload = Payload::from_json(r#""typing""#.into()).unwrap();
    assert_golden("client/subscribe", &ClientFrame::Subscribe { topic: topic(), listed: Listed::Yes });
    assert_golden(
        "client/subscribe_unlisted",
        &ClientFrame::Subscribe { topic: topic(), listed: Listed::No },
    );
    assert_golden("client/unsubscribe", &ClientFrame::Unsubscribe { topic: topic() });
    assert_golden("client/signal", &ClientFrame::Signal { topic: topic(), payload });
    assert_golden("client/ping", &ClientFrame::Ping { at: 1_795_357_200_123 });
    assert_golden("client/pong", &ClientFrame::Pong { at: 1_795_357_200_123 });
}

#[test]
fn a_subscription_is_listed_by_default() {
    let frame: ClientFrame = serde_json::from_str(r#"{"subscribe":{"topic":"probe:general"}}"#).unwrap();
    assert_eq!(frame, ClientFrame::Subscribe { topic: topic(), listed: Listed::Yes });
}

#[test]
fn node_frames_are_pinned() {
    let payload = Payload::from_json(r#""typing""#.into()).unwrap();
    let problem = Problem::new(ErrorCode::Forbidden, "reading this topic is not allowed");
    assert_golden("node/welcome", &ServerFrame::Welcome(Box::new(welcome())));
    assert_golden("node/head", &ServerFrame::Head { topic: topic(), epoch: epoch(), seq: Seq(57) });
    assert_golden("node/event", &ServerFrame::Event(event(42)));
    assert_golden("node/signal", &ServerFrame::Signal { topic: topic(), from: ada(), payload });
    let members = vec![Member { id: ada().id, name: ada().name, sessions: 2 }];
    assert_golden("node/presence", &ServerFrame::Presence { topic: topic(), total: 1, members });
    assert_golden("node/refused", &ServerFrame::Refused { topic: topic(), problem });
    let problem = Problem::new(ErrorCode::Invalid, "a frame must be one JSON object");
    assert_golden("node/error", &ServerFrame::Error { problem });
    assert_golden("node/drain", &ServerFrame::Drain { reconnect_after_ms: 1_250 });
    assert_golden("node/ping", &ServerFrame::Ping { at: 1_795_357_200_123 });
    assert_golden("node/pong", &ServerFrame::Pong { at: 1_795_357_200_123 });
}

fn welcome() -> Welcome {
    Welcome {
        protocol: 1,
        build: "9f86d081884c7d65".into(),
        node: "n_4Tz".into(),
        session: "n_4Tz-17".into(),
        you: ada(),
        now: 1_795_357_200_123,
        heartbeat_secs: 25,
        limits: SessionLimits {
            frame_bytes_max: 16_384,
            payload_bytes_max: 8_192,
            signal_bytes_max: 1_024,
            session_topics_max: 100,
            session_frames_per_sec: 50,
            session_signals_per_sec: 10,
        },
    }
}

#[test]
fn pages_and_acks_are_pinned() {
    let page = |head, events| EventPage { topic: topic(), epoch: epoch(), head: Seq(head), events };
    assert_golden("http/page", &page(57, vec![event(41), event(42)]));
    assert_golden("http/page_empty", &page(0, Vec::new()));
    assert_golden("http/ack", &Ack { topic: topic(), epoch: epoch(), seq: Seq(42) });
    assert_golden("http/position", &Position { epoch: epoch(), seq: Seq(42) });
}

#[test]
fn identities_are_pinned() {
    assert_golden("http/me", &ada());
    assert_golden("http/new_identity", &NewIdentity { name: "Ada Lovelace".into() });
}

#[test]
fn problems_are_pinned() {
    assert_golden("http/problem", &Problem::new(ErrorCode::NotFound, "there is nothing under this address"));
    let mut invalid = Problem::invalid_field("text", "must not be empty");
    invalid.request_id = "r_81".into();
    assert_golden("http/problem_of_a_field", &invalid);
    let too_many = Problem::new(ErrorCode::TooMany, "10 messages a second at most").retry_after_ms(850);
    assert_golden("http/problem_to_retry", &too_many);
}

#[test]
fn error_codes_are_pinned_with_their_status() {
    let table: Vec<(ErrorCode, u16)> = ErrorCode::ALL.iter().map(|code| (*code, code.status())).collect();
    assert_golden("http/error_codes", &table);
}
