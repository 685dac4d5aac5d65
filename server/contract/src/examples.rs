//! One example of each frame and of each answer of the core: real values, written by the types themselves.

use serde_json::{Value, json};
use shared::{
    Ack, ClientFrame, DisplayName, Epoch, ErrorCode, Event, EventPage, Identity, Key, Listed, Malformed,
    Member, Payload, Problem, Seq, ServerFrame, SessionLimits, Topic, UserId, Welcome,
};

const AT: i64 = 1_795_357_200_123;

/// The values that the examples are made of.
struct Sample {
    topic: Topic,
    epoch: Epoch,
    ada: Identity,
    key: Key,
    posted: Payload,
    typing: Payload,
}

impl Sample {
    fn new() -> Result<Sample, Malformed> {
        let payload = |json: &str| Payload::from_json(json.to_owned()).map_err(|_| Malformed("must be JSON"));
        Ok(Sample {
            topic: Topic::new("example", "general")?,
            epoch: Epoch::try_from("k3v9Zt0q".to_owned())?,
            ada: Identity {
                id: UserId("u_7Qm2xLr90aBcDeFg".into()),
                name: DisplayName::parse("Ada Lovelace")?,
            },
            key: Key::try_from("0f9c_a-7")?,
            posted: payload(r#"{"posted":{"text":"hello"}}"#)?,
            typing: payload(r#""typing""#)?,
        })
    }
}

fn sample() -> Sample {
    Sample::new().expect("the samples keep the grammar")
}

/// Examples of the core's answers, by the name of their type.
pub fn of_answers() -> [(&'static str, Value); 3] {
    let Sample { topic, epoch, ada, key, posted, .. } = sample();
    let (seq, head) = (Seq(42), Seq(57));
    let event = Event { topic: topic.clone(), seq, at: AT, author: ada.clone(), key, payload: posted };
    let page = EventPage { topic: topic.clone(), epoch: epoch.clone(), head, events: vec![event] };
    [("Identity", json!(ada)), ("EventPage", json!(page)), ("Ack", json!(Ack { topic, epoch, seq }))]
}

/// Examples of frames from a client.
pub fn of_client() -> Vec<ClientFrame> {
    let Sample { topic, typing, .. } = sample();
    vec![
        ClientFrame::Subscribe { topic: topic.clone(), listed: Listed::Yes },
        ClientFrame::Unsubscribe { topic: topic.clone() },
        ClientFrame::Signal { topic, payload: typing },
        ClientFrame::Ping { at: AT },
        ClientFrame::Pong { at: AT },
    ]
}

/// Examples of frames from the node.
pub fn of_node() -> Vec<ServerFrame> {
    let Sample { topic, epoch, ada, key, posted, typing } = sample();
    let member = Member { id: ada.id.clone(), name: ada.name.clone(), sessions: 2 };
    let event =
        Event { topic: topic.clone(), seq: Seq(42), at: AT, author: ada.clone(), key, payload: posted };
    let forbidden = Problem::new(ErrorCode::Forbidden, "reading this topic is not allowed");
    let invalid = Problem::new(ErrorCode::Invalid, "a frame must be one JSON object");
    vec![
        ServerFrame::Welcome(Box::new(welcome(ada.clone()))),
        ServerFrame::Head { topic: topic.clone(), epoch, seq: Seq(57) },
        ServerFrame::Event(event),
        ServerFrame::Signal { topic: topic.clone(), from: ada, payload: typing },
        ServerFrame::Presence { topic: topic.clone(), total: 1, members: vec![member] },
        ServerFrame::Refused { topic, problem: forbidden },
        ServerFrame::Error { problem: invalid },
        ServerFrame::Drain { reconnect_after_ms: 1_250 },
        ServerFrame::Ping { at: AT },
        ServerFrame::Pong { at: AT },
    ]
}

fn welcome(you: Identity) -> Welcome {
    Welcome {
        protocol: 1,
        build: "9f86d081884c7d65".into(),
        node: "4TzQ0aXe".into(),
        session: "4TzQ0aXe-17".into(),
        you,
        now: AT,
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
