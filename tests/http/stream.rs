//! The stream: the same log as server-sent events, resumed by its readers themselves.

use std::fs;
use std::time::{Duration, Instant};

use reqwest::Method;
use shared::{ErrorCode, Event, EventPage, Part, Seq, endpoint};

use crate::support::event_stream::{Block, EventStream};
use crate::support::{TestServer, eventually, probe};

const EVENTS: &str = "/api/topics/probe:topic/events";
const FAST: [&str; 2] = ["--identity-publishes-per-sec", "100000"];

fn event(block: &Block) -> Event {
    assert_eq!(block.event, "event", "{block:?}");
    let event: Event = serde_json::from_str(&block.data).unwrap();
    assert!(block.id.ends_with(&format!(":{}", event.seq)), "{block:?}");
    event
}

fn page(block: &Block) -> EventPage {
    assert_eq!(block.event, "reset", "{block:?}");
    serde_json::from_str(&block.data).unwrap()
}

impl EventStream {
    /// The seqs of the next events, and the id of the last.
    async fn hears_events(&mut self, count: u64) -> (Vec<u64>, String) {
        let (mut seqs, mut id) = (Vec::new(), String::new());
        for _ in 0..count {
            let block = self.hears().await;
            seqs.push(event(&block).seq.0);
            id = block.id;
        }
        (seqs, id)
    }
}

#[tokio::test]
async fn it_begins_with_the_readers_position_and_goes_on_live() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publishes_many("topic", "before", 2).await;
    let mut stream = EventStream::open(&ada, EVENTS, None).await;
    assert_eq!(stream.header("content-type"), "text/event-stream");
    assert_eq!((stream.header("cache-control"), stream.header("etag")), ("no-store, no-transform", ""));
    assert_eq!(stream.header("x-accel-buffering"), "no", "nginx would keep what is small");
    assert_eq!(stream.header("vary"), "Accept, Prefer, Accept-Encoding");

    let epoch = ada.pull(&probe("topic"), Part::Newest).await.epoch;
    assert_eq!(stream.hears().await, Block { id: format!("{epoch}:2"), ..Block::default() });
    ada.publishes_many("topic", "after", 3).await;
    for seq in 3..=5 {
        let block = stream.hears().await;
        assert_eq!(event(&block), ada.pull(&probe("topic"), Part::After(Seq(seq - 1))).await.events[0]);
        assert_eq!(block.id, format!("{epoch}:{seq}"));
    }
}

#[tokio::test]
async fn what_is_missing_is_replayed_and_what_comes_meanwhile_follows_without_hole_or_double() {
    let server = TestServer::with(&FAST);
    let ada = server.guest("Ada").await;
    ada.publishes_many("topic", "before", 30).await;
    let writing = {
        let ada = ada.clone();
        tokio::spawn(async move { ada.publishes_many("topic", "meanwhile", 100).await })
    };
    let mut streams = Vec::new();
    while !writing.is_finished() {
        let mut stream = EventStream::open(&ada, &format!("{EVENTS}?after=0"), None).await;
        assert!(stream.hears().await.id.ends_with(":0"), "it begins where the reader is");
        streams.push(stream);
    }
    writing.await.unwrap();
    assert!(streams.len() > 1, "nobody came meanwhile");
    for mut stream in streams {
        assert_eq!(stream.hears_events(130).await.0, (1..=130).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn the_last_id_resumes_it_across_kill_9_and_restart() {
    let mut server = TestServer::with(&FAST);
    let ada = server.guest("Ada").await;
    let mut stream = EventStream::open(&ada, EVENTS, None).await;
    let mut id = stream.hears().await.id;
    for life in 0..5 {
        ada.publishes_many("topic", &format!("pushed-{life}-"), 3).await;
        let pushed = stream.hears_events(3).await;
        assert_eq!(pushed.0, (life * 6 + 1..=life * 6 + 3).collect::<Vec<_>>());
        id = pushed.1;
        ada.publishes_many("topic", &format!("missed-{life}-"), 3).await;
        server.kill();
        server.restart();
        stream = EventStream::open(&ada, EVENTS, Some(&id)).await;
        assert_eq!(stream.hears().await.id, id, "it begins where the reader is");
        assert_eq!(stream.hears_events(3).await.0, (life * 6 + 4..=life * 6 + 6).collect::<Vec<_>>());
    }
    assert!(id.ends_with(":27"), "{id}");
}

#[tokio::test]
async fn a_position_that_is_void_starts_over_with_the_newest_page() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publishes_many("topic", "k", 3).await;
    let epoch = ada.pull(&probe("topic"), Part::Newest).await.epoch;
    let beyond = format!("{epoch}:4");
    for id in ["nonsense", ":", ":3", "3", "another:3", "another:-3", &beyond, &format!("{epoch}:x")] {
        let mut stream = EventStream::open(&ada, EVENTS, Some(id)).await;
        let block = stream.hears().await;
        assert_eq!(block.id, format!("{epoch}:3"), "{id}");
        assert_eq!(page(&block), ada.pull(&probe("topic"), Part::Newest).await, "{id}");
    }
    let mut stream = EventStream::open(&ada, EVENTS, Some(&beyond)).await;
    page(&stream.hears().await);
    ada.publishes("topic", "k4", "x").await;
    assert_eq!(stream.hears_events(1).await.0, [4], "and goes on from there");
}

#[tokio::test]
async fn an_older_copy_of_the_log_makes_its_reader_start_over() {
    let mut server = TestServer::start();
    let (ada, file) = (server.guest("Ada").await, server.data().join("duplex.db"));
    ada.publishes_many("topic", "kept", 2).await;
    server.terminate();
    server.ended().await;
    let copy = fs::read(&file).unwrap();
    server.restart();
    let mut stream = EventStream::open(&ada, EVENTS, None).await;
    stream.hears().await;
    ada.publishes_many("topic", "lost", 3).await;
    let (_, id) = stream.hears_events(3).await;
    server.terminate();
    server.ended().await;
    fs::write(&file, copy).unwrap();
    server.restart();

    let block = EventStream::open(&ada, EVENTS, Some(&id)).await.hears().await;
    assert_eq!((page(&block).head, block.id), (Seq(2), id.replace(":5", ":2")));
}

#[tokio::test]
async fn only_who_asks_for_it_gets_a_stream() {
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
        EventStream::ask(&ada, path, None).await.err().unwrap().is_refused(code, &[]);
    }
    let refused = EventStream::ask(&server.stranger(), EVENTS, None).await.err().unwrap();
    refused.is_refused(ErrorCode::Unauthenticated, &[]);
}

#[tokio::test]
async fn a_quiet_stream_is_kept_awake_every_fifteen_seconds() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let begun = Instant::now();
    let mut stream = EventStream::open(&ada, EVENTS, None).await;
    stream.hears().await;
    assert!(stream.next().await.unwrap().is_comment);
    let took = begun.elapsed();
    assert!((Duration::from_secs(15)..Duration::from_secs(20)).contains(&took), "it took {took:?}");
}

#[tokio::test]
async fn signing_out_ends_it() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let mut stream = EventStream::open(&ada, EVENTS, None).await;
    stream.hears().await;
    assert_eq!(ada.delete(endpoint::ME).await.status, 204);
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_node_that_stops_tells_each_stream_when_to_come_back() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    let mut told = Vec::new();
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = EventStream::open(&ada, EVENTS, None).await;
        stream.hears().await;
        streams.push(stream);
    }
    server.terminate();
    for mut stream in streams {
        told.push(stream.hears().await.retry.parse::<u64>().unwrap());
        assert_eq!(stream.next().await, None);
    }
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 4, "each gets another number: {told:?}");
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn it_counts_as_a_reader_for_as_long_as_it_is_open() {
    let server = TestServer::with(&["--address-readers-max", "1"]);
    let ada = server.guest("Ada").await;
    let stream = EventStream::open(&ada, EVENTS, None).await;
    let refused = EventStream::ask(&ada, EVENTS, None).await.err().unwrap();
    refused.is_refused(ErrorCode::TooMany, &["close one first"]);
    drop(stream);
    eventually("the next one is let in", async || EventStream::ask(&ada, EVENTS, None).await.ok()).await;
}

#[tokio::test]
async fn a_slow_reader_loses_nothing_and_costs_the_node_nothing() {
    let server = TestServer::with(&FAST);
    let ada = server.guest("Ada").await;
    let mut stream = EventStream::open(&ada, EVENTS, None).await;
    stream.hears().await;
    let memory = server.rss_bytes();
    for number in 0..1_000 {
        ada.publishes("topic", &format!("k{number}"), &"x".repeat(8_000)).await;
    }
    let grown = server.rss_bytes().saturating_sub(memory);
    assert!(grown < 8 << 20, "{} KiB more, while it lacked 8 MB", grown >> 10);
    assert_eq!(stream.hears_events(1_000).await.0, (1..=1_000).collect::<Vec<_>>());
}
