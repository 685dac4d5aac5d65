//! The demo's promises, tested on the product: lines in rooms, and the lobby's list of rooms.

use reqwest::Method;
use serde_json::{Value, json};
use shared::features::chat::{
    ChatEvent, ChatSignal, FIRST_ROOM, MessageText, NewMessage, ROOMS, Room, RoomSummary, Rooms, messages,
    room_topic,
};
use shared::{Ack, ErrorCode, Event, Identity, Key, Part, Payload, Seq, TopicKind, UserId, endpoint};

use crate::support::golden::assert_golden;
use crate::support::{Person, Program, TestResponse, TestServer, eventually};

fn product() -> TestServer {
    TestServer::of(Program::Product, &["--identity-publishes-per-sec", "1000"])
}

impl Person {
    /// Posts to a room under a key, and returns the answer, whatever it is.
    async fn try_write(&self, room: &str, key: &str, body: &Value) -> TestResponse {
        let request = self.request(Method::POST, &messages(room)).header(endpoint::IDEMPOTENCY_KEY, key);
        self.ask(request.json(body)).await
    }

    /// Writes a line. Fails the test if it is not acknowledged.
    async fn write(&self, room: &str, key: &str, text: &str) -> Ack {
        let answer = self.try_write(room, key, &json!({ "text": text })).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    async fn rooms(&self) -> Vec<RoomSummary> {
        self.get(ROOMS).await.json::<Rooms>().rooms
    }
}

/// The first room, which always exists, without lines and members.
fn empty_first_room() -> RoomSummary {
    RoomSummary { name: FIRST_ROOM.into(), head: Seq::ZERO, online: 0, last: None }
}

fn text_of(event: &Event) -> String {
    let ChatEvent::Posted { text } = event.payload.read().unwrap();
    text.as_str().to_owned()
}

#[tokio::test]
async fn a_line_is_pushed_to_the_other_members_at_once() {
    let server = product();
    let general = room_topic("general").unwrap();
    let ada = server.browser("Ada", &[&general]).await;
    let grace = server.browser("Grace", &[&general]).await;
    let ack = ada.person.write("general", "k1", "  hello, Grace \n").await;
    assert_eq!((ack.topic, ack.seq), (general.clone(), Seq(1)));

    for browser in [&ada, &grace] {
        let record = browser.read_up_to(&general, 1).await;
        assert_eq!(record.pushed, 1);
        assert_eq!(text_of(&record.events[0]), "hello, Grace", "trimmed");
        assert_eq!(record.events[0].author, ada.person.identity);
    }
}

#[tokio::test]
async fn a_text_has_one_to_two_thousand_characters_after_trimming() {
    let server = product();
    let ada = server.guest("Ada").await;
    for text in ["", "   ", "\n\t\u{a0}", "\u{0}\u{1}\u{85}"] {
        let answer = ada.try_write("general", "bad", &json!({ "text": text })).await;
        let problem = answer.is_refused(ErrorCode::Invalid, &["text", "must not be empty"]);
        assert_eq!(problem.errors[0].field, "text");
    }
    for text in ["x".repeat(2_001), "é".repeat(2_001)] {
        let answer = ada.try_write("general", "bad", &json!({ "text": text })).await;
        let problem = answer.is_refused(ErrorCode::Invalid, &["text", "2,000 characters"]);
        assert_eq!(problem.errors[0].field, "text");
    }
    let unseen = ada.try_write("general", "bad", &json!({ "text": "\u{200b}\u{2800}" })).await;
    unseen.is_refused(ErrorCode::Invalid, &["text", "visible"]);
    assert_eq!(ada.rooms().await, [empty_first_room()], "a refused line creates no room");
    ada.write("general", "k1", &format!(" {} ", "🦀".repeat(2_000))).await;
    ada.write("general", "k2", "x").await;
    ada.write("general", "k3", "two\nlines").await;
}

#[tokio::test]
async fn two_thousand_characters_of_any_kind_fit_the_default_limit() {
    let server = product();
    let ada = server.guest("Ada").await;
    for (number, char) in ["\"", "\\", "\n", "\t", "🦀", "\u{2028}", "\u{1}"].into_iter().enumerate() {
        let text = format!("a{}b", char.repeat(1_998));
        ada.write("general", &format!("k{number}"), &text).await;
    }
}

#[tokio::test]
async fn a_line_has_no_control_characters_except_newline_and_tab() {
    let server = product();
    let general = room_topic("general").unwrap();
    let ada = server.guest("Ada").await;
    ada.write("general", "k", "\u{1}one\r\ntwo\rthree\tfour\u{7f}").await;
    let page = ada.pull(&general, Part::Newest).await;
    assert_eq!(text_of(&page.events[0]), "one\ntwo\nthree\tfour");
}

#[tokio::test]
async fn a_line_that_is_too_long_for_this_server_is_refused_in_plain_english() {
    let server = TestServer::of(Program::Product, &["--payload-bytes-max", "1024"]);
    let ada = server.guest("Ada").await;
    let text = "x".repeat(1_025);
    let problem =
        ada.try_write("general", "k", &json!({ "text": text })).await.is_refused(ErrorCode::TooLarge, &[]);
    assert_eq!(problem.detail, "too long for this server: at most 1024 bytes");
    ada.write("general", "k", &"x".repeat(1_024 - ChatEvent::payload_bytes(""))).await;
}

#[tokio::test]
async fn a_body_without_a_text_is_invalid() {
    let server = product();
    let ada = server.guest("Ada").await;
    for body in [json!({}), json!({ "text": 7 }), json!({ "text": null })] {
        ada.try_write("general", "bad", &body).await.is_refused(ErrorCode::Invalid, &["text"]);
    }
    for body in [json!(null), json!(["text"]), json!("text")] {
        ada.try_write("general", "bad", &body).await.is_refused(ErrorCode::Invalid, &["body"]);
    }
}

#[tokio::test]
async fn a_room_name_follows_the_grammar_of_topics() {
    let server = product();
    let ada = server.guest("Ada").await;
    let long = "x".repeat(64);
    for room in ["General", "-a", "a:b", "a%20b", "%C3%A9t%C3%A9", "a.b", &long] {
        let answer = ada.try_write(room, "k", &json!({ "text": "x" })).await;
        let problem = answer.is_refused(ErrorCode::Invalid, &["room", "1 to 63"]);
        assert_eq!(problem.errors[0].field, "room", "{room}");
    }
    for room in ["a", "0", "rust-2026_q4", &long[..63]] {
        ada.write(room, "k", "x").await;
    }
}

#[tokio::test]
async fn the_same_key_again_is_the_same_line() {
    let server = product();
    let ada = server.guest("Ada").await;
    let first = ada.write("general", "k", "hello").await;
    // After trimming, it is the same text.
    let again = ada.try_write("general", "k", &json!({ "text": " hello " })).await;
    assert_eq!((again.status, again.header(endpoint::IDEMPOTENCY_REPLAYED)), (200, "true"));
    assert_eq!(again.json::<Ack>(), first);
    ada.try_write("general", "k", &json!({ "text": "bye" }))
        .await
        .is_refused(ErrorCode::KeyReused, &["Idempotency-Key"]);
    let no_key = ada.post(&messages("general"), &json!({ "text": "x" })).await;
    no_key.is_refused(ErrorCode::Invalid, &["Idempotency-Key"]);
    assert_eq!(ada.rooms().await[0].head, Seq(1));
}

#[tokio::test]
async fn the_lobby_lists_rooms_with_their_last_line_newest_first() {
    let server = product();
    let ada = server.guest("Ada").await;
    for (room, key, text) in
        [("one", "k1", "a"), ("two", "k2", "b"), ("three", "k3", "c"), ("one", "k4", "d")]
    {
        let before =
            ada.rooms().await.first().and_then(|room| room.last.as_ref()).map_or(0, |event| event.at);
        ada.write(room, key, text).await;
        let after = ada.rooms().await[0].last.as_ref().unwrap().at;
        assert!(after >= before, "time does not run backwards");
    }
    let mut rooms = ada.rooms().await;
    assert_eq!(rooms.pop(), Some(empty_first_room()), "a room without lines comes last");
    let last = |room: &RoomSummary| text_of(room.last.as_ref().unwrap());
    let mut listed: Vec<_> = rooms.iter().map(|room| (room.name.as_str(), room.head.0, last(room))).collect();
    let times: Vec<_> = rooms.iter().map(|room| room.last.as_ref().unwrap().at).collect();
    assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
    assert_eq!(rooms[0].last.as_ref().unwrap().at, *times.iter().max().unwrap());
    listed.sort();
    assert_eq!(listed, [("one", 2, "d".into()), ("three", 1, "c".into()), ("two", 1, "b".into())]);
}

#[tokio::test]
async fn the_first_room_always_exists_once_and_counts_its_members() {
    let server = product();
    let general = room_topic(FIRST_ROOM).unwrap();
    assert_eq!(server.guest("Grace").await.rooms().await, [empty_first_room()]);
    let ada = server.browser("Ada", &[&general]).await;
    assert_eq!(ada.person.rooms().await, [RoomSummary { online: 1, ..empty_first_room() }]);
    ada.person.write("lounge", "k1", "x").await;
    let names = async || ada.person.rooms().await.into_iter().map(|room| room.name).collect::<Vec<_>>();
    assert_eq!(names().await, ["lounge", FIRST_ROOM], "rooms with lines come first");
    let before = ada.person.rooms().await[0].last.as_ref().unwrap().at;
    let mut number = 0;
    eventually("the first room has a later line", async || {
        number += 1;
        ada.person.write(FIRST_ROOM, &format!("k{number}"), "x").await;
        let rooms = ada.person.rooms().await;
        rooms
            .iter()
            .any(|room| room.name == FIRST_ROOM && room.last.as_ref().unwrap().at > before)
            .then_some(())
    })
    .await;
    assert_eq!(names().await, [FIRST_ROOM, "lounge"]);
}

#[tokio::test]
async fn a_room_counts_members_and_not_windows() {
    let server = product();
    let general = room_topic("general").unwrap();
    let ada = server.browser("Ada", &[&general]).await;
    ada.person.write("general", "k", "x").await;
    assert_eq!(ada.person.rooms().await[0].online, 1);
    let mut second_window = server.socket(&ada.person).await;
    second_window.subscribe(&general).await;
    second_window.receive_head(&general).await;
    assert_eq!(ada.person.rooms().await[0].online, 1);
    let _grace = server.browser("Grace", &[&general]).await;
    assert_eq!(ada.person.rooms().await[0].online, 2);
}

#[tokio::test]
async fn the_lobby_requires_a_sign_in() {
    let server = product();
    server.stranger().get(ROOMS).await.is_refused(ErrorCode::Unauthenticated, &["/api/me"]);
    let anonymous = server.stranger().try_write("general", "k", &json!({ "text": "x" })).await;
    anonymous.is_refused(ErrorCode::Unauthenticated, &["/api/me"]);
}

#[test]
fn the_wire_of_the_demo_is_pinned() {
    let posted = ChatEvent::Posted { text: MessageText::parse("grüß dich 🦀").unwrap() };
    let ada =
        Identity { id: UserId("u_7Qm2xLr90aBcDeFg".into()), name: String::from("Ada").try_into().unwrap() };
    let last = Event {
        topic: Room::topic("general").unwrap(),
        seq: Seq(57),
        at: 1_795_357_200_123,
        author: ada,
        key: Key::try_from("0f9c_a-7").unwrap(),
        payload: Payload::of(&posted).unwrap(),
    };
    let room = |name: &str, last| RoomSummary { name: name.into(), head: Seq(57), online: 3, last };
    assert_golden("chat/posted", &posted);
    assert_golden("chat/typing", &ChatSignal::Typing);
    assert_golden("chat/stopped", &ChatSignal::Stopped);
    assert_golden("chat/new_message", &NewMessage { text: "grüß dich 🦀".into() });
    assert_golden("chat/rooms", &Rooms { rooms: vec![room("general", Some(last)), room("quiet", None)] });
}

#[tokio::test]
async fn the_lobby_lists_the_hundred_rooms_with_the_newest_lines() {
    let server = product();
    let ada = server.guest("Ada").await;
    for number in 0..105 {
        ada.write(&format!("room-{number}"), "k1", "hello").await;
    }
    ada.write("room-0", "k2", "hello again").await;
    let names: Vec<String> = ada.rooms().await.into_iter().map(|room| room.name).collect();
    assert_eq!((names.len(), names[0].as_str(), names[1].as_str()), (101, "room-0", "room-104"));
    assert_eq!(names[100], FIRST_ROOM, "the first room is listed in any case");
    assert!(!names.contains(&"room-1".to_owned()), "its line is the oldest");
}
