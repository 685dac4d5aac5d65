//! The pull: pages, caches, and void positions.

use reqwest::Method;
use shared::{EventPage, Part, Seq, endpoint};

use crate::support::{Person, TestServer, in_time, probe};

/// Fills the topic `topic` with this many events, and returns their author.
async fn filled_topic(server: &TestServer, events: usize) -> Person {
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "k", events).await;
    ada
}

fn seqs(page: &EventPage) -> Vec<u64> {
    page.events.iter().map(|event| event.seq.0).collect()
}

const EVENTS: &str = "/api/topics/probe:topic/events";

#[tokio::test]
async fn a_page_holds_topic_epoch_head_and_whole_events() {
    let server = TestServer::start();
    let ada = filled_topic(&server, 2).await;
    let page = ada.pull(&probe("topic"), Part::Newest).await;

    assert_eq!((&page.topic, page.head, seqs(&page)), (&probe("topic"), Seq(2), vec![1, 2]));
    let event = &page.events[1];
    assert_eq!((&event.topic, event.key.as_str(), &event.author), (&page.topic, "k2", &ada.identity));
    assert_eq!(event.payload.as_json(), r#"{"text":"k 2"}"#);
    assert!(
        event.at >= page.events[0].at && event.at > 1_700_000_000_000,
        "a plausible time in milliseconds"
    );
}

#[tokio::test]
async fn after_before_and_limit_select_the_events() {
    let server = TestServer::with(&["--identity-publishes-per-sec", "1000"]);
    let ada = filled_topic(&server, 120).await;
    for (query, expected) in [
        ("", 21..=120),
        ("?limit=2", 119..=120),
        ("?after=0&limit=3", 1..=3),
        ("?after=100", 101..=120),
        ("?after=0", 1..=100),
        ("?after=0&limit=500", 1..=120),
        ("?before=50&limit=3", 47..=49),
        ("?before=3", 1..=2),
        ("?before=999&limit=1", 120..=120),
    ] {
        let page: EventPage = ada.get(&format!("{EVENTS}{query}")).await.json();
        assert_eq!((seqs(&page), page.head), (expected.collect(), Seq(120)), "{query}");
    }
    for query in ["?after=120", "?before=1", "?before=0"] {
        let page: EventPage = ada.get(&format!("{EVENTS}{query}")).await.json();
        assert_eq!((seqs(&page), page.head), (vec![], Seq(120)), "{query}");
    }
}

#[tokio::test]
async fn a_topic_nobody_wrote_to_is_an_empty_page() {
    let server = TestServer::start();
    let page = server.guest("Ada").await.pull(&probe("empty"), Part::Newest).await;
    assert_eq!((page.head, page.events.len()), (Seq::ZERO, 0));
}

#[tokio::test]
async fn a_void_position_is_answered_with_the_newest_page() {
    let server = TestServer::start();
    let ada = filled_topic(&server, 5).await;
    let newest = ada.get(&format!("{EVENTS}?limit=2")).await.body;
    for query in ["after=6", "after=18446744073709551615", "after=1&epoch=another", "before=3&epoch=another"]
    {
        assert_eq!(ada.get(&format!("{EVENTS}?limit=2&{query}")).await.body, newest, "{query}");
    }
    let epoch = ada.pull(&probe("topic"), Part::Newest).await.epoch;
    let own: EventPage = ada.get(&format!("{EVENTS}?after=1&limit=2&epoch={epoch}")).await.json();
    assert_eq!(seqs(&own), [2, 3], "the reader's epoch is the epoch of the log");
}

#[tokio::test]
async fn pages_may_be_cached_and_must_be_revalidated() {
    let server = TestServer::start();
    let ada = filled_topic(&server, 2).await;
    let first = ada.get(EVENTS).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    assert_eq!(first.header("cache-control"), "private, no-cache");
    assert_eq!(first.header("vary"), "Accept, Prefer, Accept-Encoding");
    assert_eq!(first.header("content-type"), "application/json");
    assert!(!first.header("x-request-id").is_empty());

    for known in [tag.clone(), format!("\"x\", {tag}"), tag[2..].to_owned(), "*".into()] {
        let again = ada.ask(ada.request(Method::GET, EVENTS).header("if-none-match", &known)).await;
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, tag.as_str()), "{known}");
    }
    ada.publish("topic", "one-more", "x").await;
    let changed = ada.ask(ada.request(Method::GET, EVENTS).header("if-none-match", &tag)).await;
    assert_eq!(changed.json::<EventPage>().head, Seq(3));
}

#[tokio::test]
async fn the_accept_header_decides_the_content_type() {
    let server = TestServer::start();
    let ada = filled_topic(&server, 1).await;
    for (accepted, status, kind) in [
        ("text/*", 200, "text/event-stream"),
        ("*/*", 200, "application/json"),
        ("text/event-stream;Q=0.1, application/json;Q=0.2", 200, "application/json"),
        ("text/*, text/event-stream;Q=0", 406, "application/problem+json"),
    ] {
        let request = ada.request(Method::GET, EVENTS).header("accept", accepted);
        let answer = in_time("an answer begins", request.send()).await.unwrap();
        let content_type = answer.headers()["content-type"].to_str().unwrap();
        assert_eq!((answer.status().as_u16(), content_type), (status, kind), "{accepted}");
    }
}

#[tokio::test]
async fn two_pages_never_share_an_etag() {
    let server = TestServer::start();
    let ada = filled_topic(&server, 5).await;
    let mut tags = Vec::new();
    for query in ["", "?limit=2", "?limit=3", "?after=3&limit=1", "?after=5", "?before=3"] {
        tags.push(ada.get(&format!("{EVENTS}{query}")).await.header("etag").to_owned());
    }
    tags.push(ada.get("/api/topics/probe:empty/events").await.header("etag").to_owned());
    let all = tags.len();
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), all, "{tags:?}");
}

#[tokio::test]
async fn head_answers_as_get_without_the_body() {
    let server = TestServer::start();
    let ada = filled_topic(&server, 2).await;
    let get = ada.get(EVENTS).await;
    let head = ada.ask(ada.request(Method::HEAD, EVENTS)).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["etag", "cache-control", "vary", "content-type", "content-length"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
}

#[tokio::test]
async fn a_long_history_is_read_page_by_page() {
    let server = TestServer::with(&["--identity-publishes-per-sec", "1000"]);
    let ada = filled_topic(&server, 250).await;
    let mut at = Seq::ZERO;
    let mut read = Vec::new();
    loop {
        let page: EventPage =
            ada.get(&endpoint::events(&probe("topic"), Part::After(at), None, 100)).await.json();
        let Some(last) = page.events.last() else { break };
        at = last.seq;
        read.extend(seqs(&page));
    }
    assert_eq!(read, (1..=250).collect::<Vec<_>>());
}
