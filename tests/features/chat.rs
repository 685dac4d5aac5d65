//! The demo's own promises, on the product as it is: lines in rooms, and the lobby's list of them.

use reqwest::Method;
use serde_json::{Value, json};
use shared::features::chat::{
    ChatEvent, ChatSignal, FIRST_ROOM, MessageText, NewMessage, ROOMS, Room, RoomSummary, Rooms, messages,
    room_topic,
};
use shared::{Ack, ErrorCode, Event, Identity, Key, Part, Payload, Seq, TopicKind, UserId, endpoint};

use crate::support::golden::pins;
use crate::support::{Answer, Person, Program, TestServer, eventually};

fn product() -> TestServer {
    TestServer::of(Program::Product, &["--identity-publishes-per-sec", "1000"])
}

impl Person {
    /// Posts to a room under that key.
    async fn posts(&self, room: &str, key: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, &messages(room)).header(endpoint::IDEMPOTENCY_KEY, key);
        self.ask(request.json(body)).await
    }

    /// Writes a line, and expects that it is taken.
    async fn writes(&self, room: &str, key: &str, text: &str) -> Ack {
        let answer = self.posts(room, key, &json!({ "text": text })).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    async fn rooms(&self) -> Vec<RoomSummary> {
        self.get(ROOMS).await.json::<Rooms>().rooms
    }
}

/// The room that is there from the start, as long as nobody has written in it and nobody is there.
fn empty_first_room() -> RoomSummary {
    RoomSummary { name: FIRST_ROOM.into(), head: Seq::ZERO, online: 0, last: None }
}

fn text_of(event: &Event) -> String {
    let ChatEvent::Posted { text } = event.payload.read().unwrap();
    text.as_str().to_owned()
}

#[tokio::test]
async fn a_line_that_one_writes_the_other_reads_at_once() {
    let (server, general) = (product(), room_topic("general").unwrap());
    let ada = server.browser("Ada", &[&general]).await;
    let grace = server.browser("Grace", &[&general]).await;
    let ack = ada.person.writes("general", "k1", "  hello, Grace \n").await;
    assert_eq!((ack.topic, ack.seq), (general.clone(), Seq(1)));

    for browser in [&ada, &grace] {
        let reading = browser.until_read(&general, 1).await;
        assert_eq!(reading.pushed, 1);
        assert_eq!(text_of(&reading.events[0]), "hello, Grace", "trimmed");
        assert_eq!(reading.events[0].author, ada.person.identity);
    }
}

#[tokio::test]
async fn a_text_has_one_to_two_thousand_characters_after_trimming() {
    let server = product();
    let ada = server.guest("Ada").await;
    for text in ["", "   ", "\n\t\u{a0}", "\u{0}\u{1}\u{85}"] {
        let answer = ada.posts("general", "bad", &json!({ "text": text })).await;
        let problem = answer.is_refused(ErrorCode::Invalid, &["text", "must not be empty"]);
        assert_eq!(problem.errors[0].field, "text");
    }
    for text in ["x".repeat(2_001), "é".repeat(2_001)] {
        let answer = ada.posts("general", "bad", &json!({ "text": text })).await;
        let problem = answer.is_refused(ErrorCode::Invalid, &["text", "2,000 characters"]);
        assert_eq!(problem.errors[0].field, "text");
    }
    let unseen = ada.posts("general", "bad", &json!({ "text": "\u{200b}\u{2800}" })).await;
    unseen.is_refused(ErrorCode::Invalid, &["text", "visible"]);
    assert_eq!(ada.rooms().await, [empty_first_room()], "no refused line has made a room");
    ada.writes("general", "k1", &format!(" {} ", "🦀".repeat(2_000))).await;
    ada.writes("general", "k2", "x").await;
    ada.writes("general", "k3", "two\nlines").await;
}

#[tokio::test]
async fn two_thousand_characters_of_any_kind_fit_the_default_limit() {
    let server = product();
    let ada = server.guest("Ada").await;
    for (number, char) in ["\"", "\\", "\n", "\t", "🦀", "\u{2028}", "\u{1}"].into_iter().enumerate() {
        let text = format!("a{}b", char.repeat(1_998));
        ada.writes("general", &format!("k{number}"), &text).await;
    }
}

#[tokio::test]
async fn a_line_has_no_control_characters_but_newline_and_tab() {
    let (server, general) = (product(), room_topic("general").unwrap());
    let ada = server.guest("Ada").await;
    ada.writes("general", "k", "\u{1}one\r\ntwo\rthree\tfour\u{7f}").await;
    let page = ada.pull(&general, Part::Newest).await;
    assert_eq!(text_of(&page.events[0]), "one\ntwo\nthree\tfour");
}

#[tokio::test]
async fn a_line_that_is_too_long_for_this_server_is_refused_in_words_that_a_person_understands() {
    let server = TestServer::of(Program::Product, &["--payload-bytes-max", "1024"]);
    let ada = server.guest("Ada").await;
    let text = "x".repeat(1_025);
    let problem =
        ada.posts("general", "k", &json!({ "text": text })).await.is_refused(ErrorCode::TooLarge, &[]);
    assert_eq!(problem.detail, "too long for this server: at most 1024 bytes");
    ada.writes("general", "k", &"x".repeat(1_024 - ChatEvent::payload_bytes(""))).await;
}

#[tokio::test]
async fn a_body_without_a_text_is_invalid() {
    let server = product();
    let ada = server.guest("Ada").await;
    for body in [json!({}), json!({ "text": 7 }), json!({ "text": null })] {
        ada.posts("general", "bad", &body).await.is_refused(ErrorCode::Invalid, &["text"]);
    }
    for body in [json!(null), json!(["text"]), json!("text")] {
        ada.posts("general", "bad", &body).await.is_refused(ErrorCode::Invalid, &["body"]);
    }
}

#[tokio::test]
async fn a_room_is_named_by_the_grammar_of_topics() {
    let server = product();
    let ada = server.guest("Ada").await;
    let long = "x".repeat(64);
    for room in ["General", "-a", "a:b", "a%20b", "%C3%A9t%C3%A9", "a.b", &long] {
        let answer = ada.posts(room, "k", &json!({ "text": "x" })).await;
        let problem = answer.is_refused(ErrorCode::Invalid, &["room", "1 to 63"]);
        assert_eq!(problem.errors[0].field, "room", "{room}");
    }
    for room in ["a", "0", "rust-2026_q4", &long[..63]] {
        ada.writes(room, "k", "x").await;
    }
}

#[tokio::test]
async fn the_same_key_again_is_the_same_line() {
    let server = product();
    let ada = server.guest("Ada").await;
    let first = ada.writes("general", "k", "hello").await;
    // Trimmed, it is the same text.
    let again = ada.posts("general", "k", &json!({ "text": " hello " })).await;
    assert_eq!((again.status, again.header(endpoint::IDEMPOTENCY_REPLAYED)), (200, "true"));
    assert_eq!(again.json::<Ack>(), first);
    ada.posts("general", "k", &json!({ "text": "bye" }))
        .await
        .is_refused(ErrorCode::KeyReused, &["Idempotency-Key"]);
    let no_key = ada.post(&messages("general"), &json!({ "text": "x" })).await;
    no_key.is_refused(ErrorCode::Invalid, &["Idempotency-Key"]);
    assert_eq!(ada.rooms().await[0].head, Seq(1));
}

#[tokio::test]
async fn the_lobby_lists_rooms_with_their_last_line_the_latest_first() {
    let server = product();
    let ada = server.guest("Ada").await;
    for (room, key, text) in
        [("one", "k1", "a"), ("two", "k2", "b"), ("three", "k3", "c"), ("one", "k4", "d")]
    {
        let before =
            ada.rooms().await.first().and_then(|room| room.last.as_ref()).map_or(0, |event| event.at);
        ada.writes(room, key, text).await;
        let after = ada.rooms().await[0].last.as_ref().unwrap().at;
        assert!(after >= before, "time goes on");
    }
    let mut rooms = ada.rooms().await;
    assert_eq!(rooms.pop(), Some(empty_first_room()), "it has no line yet");
    let last = |room: &RoomSummary| text_of(room.last.as_ref().unwrap());
    let mut listed: Vec<_> = rooms.iter().map(|room| (room.name.as_str(), room.head.0, last(room))).collect();
    let times: Vec<_> = rooms.iter().map(|room| room.last.as_ref().unwrap().at).collect();
    assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
    assert_eq!(rooms[0].last.as_ref().unwrap().at, *times.iter().max().unwrap());
    listed.sort();
    assert_eq!(listed, [("one", 2, "d".into()), ("three", 1, "c".into()), ("two", 1, "b".into())]);
}

#[tokio::test]
async fn the_first_room_is_there_from_the_start_and_once_and_counts_who_is_in_it() {
    let (server, general) = (product(), room_topic(FIRST_ROOM).unwrap());
    assert_eq!(server.guest("Grace").await.rooms().await, [empty_first_room()]);
    let ada = server.browser("Ada", &[&general]).await;
    assert_eq!(ada.person.rooms().await, [RoomSummary { online: 1, ..empty_first_room() }]);
    ada.person.writes("lounge", "k1", "x").await;
    let names = async || ada.person.rooms().await.into_iter().map(|room| room.name).collect::<Vec<_>>();
    assert_eq!(names().await, ["lounge", FIRST_ROOM], "rooms with lines come first");
    let before = ada.person.rooms().await[0].last.as_ref().unwrap().at;
    let mut number = 0;
    eventually("its line is a later one", async || {
        number += 1;
        ada.person.writes(FIRST_ROOM, &format!("k{number}"), "x").await;
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
async fn a_room_counts_people_and_not_windows() {
    let (server, general) = (product(), room_topic("general").unwrap());
    let ada = server.browser("Ada", &[&general]).await;
    ada.person.writes("general", "k", "x").await;
    assert_eq!(ada.person.rooms().await[0].online, 1);
    let mut second_window = server.socket(&ada.person).await;
    second_window.subscribes(&general).await;
    second_window.hears_head(&general).await;
    assert_eq!(ada.person.rooms().await[0].online, 1);
    let _grace = server.browser("Grace", &[&general]).await;
    assert_eq!(ada.person.rooms().await[0].online, 2);
}

#[tokio::test]
async fn the_lobby_is_for_people_who_are_signed_in() {
    let server = product();
    server.stranger().get(ROOMS).await.is_refused(ErrorCode::Unauthenticated, &["/api/me"]);
    let anonymous = server.stranger().posts("general", "k", &json!({ "text": "x" })).await;
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
    pins("chat/posted", &posted);
    pins("chat/typing", &ChatSignal::Typing);
    pins("chat/stopped", &ChatSignal::Stopped);
    pins("chat/new_message", &NewMessage { text: "grüß dich 🦀".into() });
    pins("chat/rooms", &Rooms { rooms: vec![room("general", Some(last)), room("quiet", None)] });
}

#[tokio::test]
async fn the_list_holds_the_hundred_rooms_in_which_something_was_written_last() {
    let server = product();
    let ada = server.guest("Ada").await;
    for number in 0..105 {
        ada.writes(&format!("room-{number}"), "k1", "hello").await;
    }
    ada.writes("room-0", "k2", "hello again").await;
    let names: Vec<String> = ada.rooms().await.into_iter().map(|room| room.name).collect();
    assert_eq!((names.len(), names[0].as_str(), names[1].as_str()), (101, "room-0", "room-104"));
    assert_eq!(names[100], FIRST_ROOM, "and the one that is there in any case");
    assert!(!names.contains(&"room-1".to_owned()), "it is the oldest now");
}
