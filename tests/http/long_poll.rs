//! The long poll: a pull that waits for the next event, for networks through which no socket gets.

use std::time::{Duration, Instant};

use reqwest::Method;
use shared::{ErrorCode, EventPage, Seq, endpoint};
use tokio::task::JoinHandle;

use crate::support::{METRICS, Person, TestResponse, TestServer, eventually};

const EVENTS: &str = "/api/topics/probe:topic/events";
/// Half of the time that a poll would wait otherwise: no machine is that slow.
const AT_ONCE: Duration = Duration::from_secs(10);

impl Person {
    async fn poll(&self, query: &str, prefer: &str) -> TestResponse {
        self.ask(self.request(Method::GET, &format!("{EVENTS}{query}")).header(endpoint::PREFER, prefer))
            .await
    }

    /// Starts a poll, and returns once it waits at the node. It must be the only session there.
    async fn start_poll(
        &self,
        server: &TestServer,
        query: &'static str,
        prefer: &'static str,
    ) -> JoinHandle<TestResponse> {
        let person = self.clone();
        let poll = tokio::spawn(async move { person.poll(query, prefer).await });
        server.wait_for_metric("duplex_sessions", 1.0).await;
        poll
    }
}

fn seqs(answer: &TestResponse) -> Vec<u64> {
    answer.json::<EventPage>().events.iter().map(|event| event.seq.0).collect()
}

#[tokio::test]
async fn existing_events_are_returned_at_once_and_not_from_a_cache() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "k", 2).await;
    let begun = Instant::now();
    let request = ada.request(Method::GET, &format!("{EVENTS}?after=0")).header("if-none-match", "*");
    let answer = ada.ask(request.header(endpoint::PREFER, "wait=20")).await;

    assert_eq!((answer.status, seqs(&answer)), (200, vec![1, 2]));
    assert!(begun.elapsed() < AT_ONCE, "it took {:?}", begun.elapsed());
    assert_eq!(answer.header(endpoint::PREFERENCE_APPLIED), "wait=20");
    assert_eq!((answer.header("cache-control"), answer.header("etag")), ("no-store", ""));
    assert_eq!(answer.header("vary"), "Accept, Prefer, Accept-Encoding");
}

#[tokio::test]
async fn a_poll_is_answered_as_soon_as_an_event_is_published() {
    let server = TestServer::with(&METRICS);
    let ada = server.guest("Ada").await;
    let mut delays = Vec::new();
    for (number, query) in (1..).zip(["?after=0", "?after=1", "?after=2"]) {
        let poll = ada.start_poll(&server, query, "wait=20").await;
        ada.publish("topic", &format!("k{number}"), "x").await;
        let published = Instant::now();
        assert_eq!(seqs(&poll.await.unwrap()), [number]);
        delays.push(published.elapsed());
        server.wait_for_metric("duplex_sessions", 0.0).await;
    }
    // A busy machine may delay one. A node that waited for its next look at the log would delay all of them by seconds.
    assert!(delays.iter().min() < Some(&Duration::from_secs(1)), "the delays are {delays:?}");
}

#[tokio::test]
async fn a_poll_that_times_out_gets_an_empty_page() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publish("topic", "k", "x").await;
    let begun = Instant::now();
    let answer = ada.poll("?after=1", "wait=1").await;
    let took = begun.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(4)).contains(&took), "it took {took:?}");
    assert_eq!(answer.header(endpoint::PREFERENCE_APPLIED), "wait=1");
    let page: EventPage = answer.json();
    assert_eq!((page.head, page.events.len()), (Seq(1), 0));
}

#[tokio::test]
async fn an_invalid_wait_is_ignored_and_a_huge_one_is_shortened() {
    let server = TestServer::with(&METRICS);
    let ada = server.guest("Ada").await;
    for prefer in ["wait=-1", "wait=0", "wait=soon", "wait=1e3", "wait=", "wait", "respond-async"] {
        let answer = ada.poll("?after=0", prefer).await;
        assert_eq!((answer.status, answer.header(endpoint::PREFERENCE_APPLIED)), (200, ""), "{prefer}");
        assert!(!answer.header("etag").is_empty(), "{prefer}: the answer is an ordinary page");
    }
    for query in ["", "?before=5"] {
        let answer = ada.poll(query, "wait=20").await;
        assert_eq!((answer.status, answer.header(endpoint::PREFERENCE_APPLIED)), (200, ""), "{query}");
    }
    let poll = ada.start_poll(&server, "?after=0", "wait=99999999999999999999").await;
    ada.publish("topic", "k", "x").await;
    assert_eq!(poll.await.unwrap().header(endpoint::PREFERENCE_APPLIED), "wait=60");
}

#[tokio::test]
async fn a_void_position_gets_the_newest_page_at_once() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "k", 3).await;
    for query in ["?after=99", "?after=3&epoch=another"] {
        let begun = Instant::now();
        let answer = ada.poll(query, "wait=20").await;
        assert_eq!(seqs(&answer), [1, 2, 3], "{query}");
        assert!(begun.elapsed() < AT_ONCE, "{query}: it took {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_poll_that_is_refused_does_not_wait() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let wait = |person: &Person, topic: &str, query: &str| {
        let path = format!("/api/topics/{topic}/events{query}");
        person.request(Method::GET, &path).header(endpoint::PREFER, "wait=20")
    };
    for (topic, query, code) in [
        ("other:topic", "?after=0", ErrorCode::NotFound),
        ("probe:private-topic", "?after=0", ErrorCode::Forbidden),
        ("probe:Topic", "?after=0", ErrorCode::Invalid),
        ("probe:topic", "?after=-1", ErrorCode::Invalid),
        ("probe:topic", "?after=0&limit=501", ErrorCode::Invalid),
    ] {
        ada.ask(wait(&ada, topic, query)).await.is_refused(code, &[]);
    }
    let stranger = server.stranger();
    let answer = stranger.ask(wait(&stranger, "probe:topic", "?after=0")).await;
    answer.is_refused(ErrorCode::Unauthenticated, &[]);
}

#[tokio::test]
async fn signing_out_ends_a_poll_with_401() {
    let server = TestServer::with(&METRICS);
    let ada = server.guest("Ada").await;
    let poll = ada.start_poll(&server, "?after=0", "wait=20").await;
    assert_eq!(ada.delete(endpoint::ME).await.status, 204);
    poll.await.unwrap().is_refused(ErrorCode::Unauthenticated, &[]);
}

#[tokio::test]
async fn a_node_that_stops_answers_polls_with_503_and_when_to_retry() {
    let mut server = TestServer::with(&METRICS);
    let ada = server.guest("Ada").await;
    let poll = ada.start_poll(&server, "?after=0", "wait=20").await;
    server.terminate();
    let problem = poll.await.unwrap().is_refused(ErrorCode::Unavailable, &[]);
    assert!(problem.retry_after_ms.is_some());
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_poll_counts_as_a_reader_for_as_long_as_it_waits() {
    let server = TestServer::with(&[&METRICS[..], &["--address-readers-max", "1"]].concat());
    let ada = server.guest("Ada").await;
    let poll = ada.start_poll(&server, "?after=0", "wait=20").await;
    ada.poll("?after=0", "wait=20").await.is_refused(ErrorCode::TooMany, &["close one first"]);
    assert_eq!(ada.get(EVENTS).await.status, 200, "an ordinary pull does not count");
    poll.abort();
    eventually("a client that hung up no longer counts", async || {
        (ada.handshake(&[]).await.status == 101).then_some(())
    })
    .await;
}
