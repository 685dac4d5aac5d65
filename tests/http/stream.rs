//! The stream: the log as server-sent events, which readers resume by themselves.

use std::fs;
use std::time::{Duration, Instant};

use reqwest::Method;
use shared::{ErrorCode, Event, EventPage, Part, Seq, endpoint};

use crate::support::sse::{SseEvent, SseStream};
use crate::support::{NO_PUBLISH_LIMIT, TestServer, eventually, probe};

const EVENTS: &str = "/api/topics/probe:topic/events";

fn event(received: &SseEvent) -> Event {
    assert_eq!(received.event, "event", "{received:?}");
    let event: Event = serde_json::from_str(&received.data).unwrap();
    assert!(received.id.ends_with(&format!(":{}", event.seq)), "{received:?}");
    event
}

fn page(received: &SseEvent) -> EventPage {
    assert_eq!(received.event, "reset", "{received:?}");
    serde_json::from_str(&received.data).unwrap()
}

impl SseStream {
    /// Receives the next events. Returns their seqs, and the id of the last.
    async fn receive_events(&mut self, count: u64) -> (Vec<u64>, String) {
        let mut seqs = Vec::new();
        let mut id = String::new();
        for _ in 0..count {
            let received = self.receive().await;
            seqs.push(event(&received).seq.0);
            id = received.id;
        }
        (seqs, id)
    }
}

#[tokio::test]
async fn a_stream_begins_with_the_readers_position_and_continues_live() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "before", 2).await;
    let mut stream = SseStream::open(&ada, EVENTS, None).await;
    assert_eq!(stream.header("content-type"), "text/event-stream");
    assert_eq!((stream.header("cache-control"), stream.header("etag")), ("no-store, no-transform", ""));
    assert_eq!(stream.header("x-accel-buffering"), "no", "nginx would buffer small events");
    assert_eq!(stream.header("vary"), "Accept, Prefer, Accept-Encoding");

    let epoch = ada.pull(&probe("topic"), Part::Newest).await.epoch;
    assert_eq!(stream.receive().await, SseEvent { id: format!("{epoch}:2"), ..SseEvent::default() });
    ada.publish_many("topic", "after", 3).await;
    for seq in 3..=5 {
        let received = stream.receive().await;
        assert_eq!(event(&received), ada.pull(&probe("topic"), Part::After(Seq(seq - 1))).await.events[0]);
        assert_eq!(received.id, format!("{epoch}:{seq}"));
    }
}

#[tokio::test]
async fn missing_events_are_replayed_and_new_ones_follow_without_a_gap_or_a_duplicate() {
    let server = TestServer::with(&NO_PUBLISH_LIMIT);
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "before", 30).await;
    let writing = {
        let ada = ada.clone();
        tokio::spawn(async move { ada.publish_many("topic", "meanwhile", 100).await })
    };
    let mut streams = Vec::new();
    while !writing.is_finished() {
        let mut stream = SseStream::open(&ada, &format!("{EVENTS}?after=0"), None).await;
        assert!(stream.receive().await.id.ends_with(":0"), "it begins at the reader's position");
        streams.push(stream);
    }
    writing.await.unwrap();
    assert!(streams.len() > 1, "no reader came while events were published");
    for mut stream in streams {
        assert_eq!(stream.receive_events(130).await.0, (1..=130).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn the_last_id_resumes_a_stream_after_kill_9_and_a_restart() {
    let mut server = TestServer::with(&NO_PUBLISH_LIMIT);
    let ada = server.guest("Ada").await;
    let mut stream = SseStream::open(&ada, EVENTS, None).await;
    let mut id = stream.receive().await.id;
    for restart in 0..5 {
        ada.publish_many("topic", &format!("pushed-{restart}-"), 3).await;
        let pushed = stream.receive_events(3).await;
        assert_eq!(pushed.0, (restart * 6 + 1..=restart * 6 + 3).collect::<Vec<_>>());
        id = pushed.1;
        ada.publish_many("topic", &format!("missed-{restart}-"), 3).await;
        server.kill();
        server.restart();
        stream = SseStream::open(&ada, EVENTS, Some(&id)).await;
        assert_eq!(stream.receive().await.id, id, "it begins at the reader's position");
        assert_eq!(stream.receive_events(3).await.0, (restart * 6 + 4..=restart * 6 + 6).collect::<Vec<_>>());
    }
    assert!(id.ends_with(":27"), "{id}");
}

#[tokio::test]
async fn a_stream_from_a_void_position_starts_over_with_the_newest_page() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "k", 3).await;
    let epoch = ada.pull(&probe("topic"), Part::Newest).await.epoch;
    let beyond = format!("{epoch}:4");
    for id in ["nonsense", ":", ":3", "3", "another:3", "another:-3", &beyond, &format!("{epoch}:x")] {
        let mut stream = SseStream::open(&ada, EVENTS, Some(id)).await;
        let received = stream.receive().await;
        assert_eq!(received.id, format!("{epoch}:3"), "{id}");
        assert_eq!(page(&received), ada.pull(&probe("topic"), Part::Newest).await, "{id}");
    }
    let mut stream = SseStream::open(&ada, EVENTS, Some(&beyond)).await;
    page(&stream.receive().await);
    ada.publish("topic", "k4", "x").await;
    assert_eq!(stream.receive_events(1).await.0, [4], "it continues from there");
}

#[tokio::test]
async fn restoring_an_older_copy_of_the_log_makes_readers_start_over() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    let file = server.data().join("duplex.db");
    ada.publish_many("topic", "kept", 2).await;
    server.terminate();
    server.ended().await;
    let copy = fs::read(&file).unwrap();
    server.restart();
    let mut stream = SseStream::open(&ada, EVENTS, None).await;
    stream.receive().await;
    ada.publish_many("topic", "lost", 3).await;
    let (_, id) = stream.receive_events(3).await;
    server.terminate();
    server.ended().await;
    fs::write(&file, copy).unwrap();
    server.restart();

    let received = SseStream::open(&ada, EVENTS, Some(&id)).await.receive().await;
    assert_eq!((page(&received).head, received.id), (Seq(2), id.replace(":5", ":2")));
}

#[tokio::test]
async fn only_a_request_that_asks_for_a_stream_gets_one() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let ask = |accept: &str| ada.request(Method::GET, EVENTS).header("accept", accept);
    for accept in ["*/*", "application/json", "application/json, text/event-stream;q=0.5"] {
        let answer = ada.ask(ask(accept)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{accept}");
    }
    ada.ask(ask("text/html")).await.is_refused(ErrorCode::NotAcceptable, &["text/event-stream"]);
    for (path, code) in [
        ("/api/topics/other:topic/events", ErrorCode::NotFound),
        ("/api/topics/probe:private-topic/events", ErrorCode::Forbidden),
    ] {
        SseStream::ask(&ada, path, None).await.err().unwrap().is_refused(code, &[]);
    }
    let refused = SseStream::ask(&server.stranger(), EVENTS, None).await.err().unwrap();
    refused.is_refused(ErrorCode::Unauthenticated, &[]);
}

#[tokio::test]
async fn a_quiet_stream_gets_a_comment_every_fifteen_seconds() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let begun = Instant::now();
    let mut stream = SseStream::open(&ada, EVENTS, None).await;
    stream.receive().await;
    assert!(stream.next().await.unwrap().is_comment);
    let took = begun.elapsed();
    assert!((Duration::from_secs(15)..Duration::from_secs(20)).contains(&took), "it took {took:?}");
}

#[tokio::test]
async fn signing_out_ends_a_stream() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let mut stream = SseStream::open(&ada, EVENTS, None).await;
    stream.receive().await;
    assert_eq!(ada.delete(endpoint::ME).await.status, 204);
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_node_that_stops_tells_each_stream_when_to_reconnect() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    let mut delays = Vec::new();
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = SseStream::open(&ada, EVENTS, None).await;
        stream.receive().await;
        streams.push(stream);
    }
    server.terminate();
    for mut stream in streams {
        delays.push(stream.receive().await.retry.parse::<u64>().unwrap());
        assert_eq!(stream.next().await, None);
    }
    delays.sort();
    delays.dedup();
    assert_eq!(delays.len(), 4, "each stream gets a different delay: {delays:?}");
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_stream_counts_as_a_reader_for_as_long_as_it_is_open() {
    let server = TestServer::with(&["--address-readers-max", "1"]);
    let ada = server.guest("Ada").await;
    let stream = SseStream::open(&ada, EVENTS, None).await;
    let refused = SseStream::ask(&ada, EVENTS, None).await.err().unwrap();
    refused.is_refused(ErrorCode::TooMany, &["close one first"]);
    drop(stream);
    eventually("another stream is accepted", async || SseStream::ask(&ada, EVENTS, None).await.ok()).await;
}

#[tokio::test]
async fn a_slow_reader_loses_nothing_and_costs_the_node_nothing() {
    let server = TestServer::with(&NO_PUBLISH_LIMIT);
    let ada = server.guest("Ada").await;
    let mut stream = SseStream::open(&ada, EVENTS, None).await;
    stream.receive().await;
    let memory = server.rss_bytes();
    for number in 0..1_000 {
        ada.publish("topic", &format!("k{number}"), &"x".repeat(8_000)).await;
    }
    let grown = server.rss_bytes().saturating_sub(memory);
    assert!(grown < 8 << 20, "the node grew by {} KiB while the reader was 8 MB behind", grown >> 10);
    assert_eq!(stream.receive_events(1_000).await.0, (1..=1_000).collect::<Vec<_>>());
}
