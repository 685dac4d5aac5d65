//! What was acknowledged stays; what is asked for twice happens once.

use std::time::{Duration, Instant};

use shared::{Ack, ErrorCode, Part, Seq, endpoint};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Answer, Person, TestServer, eventually, probe};

const FAST: [&str; 2] = ["--identity-publishes-per-sec", "100000"];

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9_a_hundred_times_over() {
    let mut server = TestServer::with(&FAST);
    let ada = server.guest("Ada").await;
    let mut acknowledged = Vec::new();
    for life in 1..=100 {
        let key = format!("life-{life}");
        let ack = ada.publishes("topic", &key, "durable").await;
        server.kill();
        assert_eq!(ack.seq, Seq(life));
        acknowledged.push(key);
        server.restart();
    }
    assert_eq!(ada.keys(&probe("topic")).await, acknowledged);
}

#[tokio::test]
async fn many_writers_lose_nothing_acknowledged_to_kill_9() {
    let mut server = TestServer::with(&FAST);
    let ada = server.guest("Ada").await;
    let writers = (0..8).map(|writer| tokio::spawn(publish_until_it_dies(ada.clone(), writer)));
    let writers: Vec<_> = writers.collect();
    eventually("some events are in the log", async || {
        (ada.head(&probe("topic")).await > Seq(20)).then_some(())
    })
    .await;
    server.kill();

    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    server.restart();
    let page = ada.pull(&probe("topic"), Part::After(Seq::ZERO)).await;
    assert!(acknowledged.len() > 10, "the test needs publishes to look for");
    for (key, ack) in acknowledged {
        let event = &page.events[ack.seq.0 as usize - 1];
        assert_eq!((event.key.as_str(), event.seq), (key.as_str(), ack.seq));
    }
}

async fn publish_until_it_dies(ada: Person, writer: usize) -> Vec<(String, Ack)> {
    let mut acknowledged = Vec::new();
    for number in 0..50 {
        let key = format!("w{writer}-{number}");
        let Ok(response) = ada.draft("topic", &key, "x").send().await else { break };
        let Ok(answer) = Answer::of(response).await else { break };
        acknowledged.push((key, answer.json()));
    }
    acknowledged
}

#[tokio::test]
async fn the_same_key_again_is_answered_from_the_log_also_after_a_restart() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    let first = ada.publishes("topic", "key-1", "hello").await;
    for _ in 0..2 {
        let again = ada.publish("topic", "key-1", "hello").await;
        assert_eq!((again.status, again.header(endpoint::IDEMPOTENCY_REPLAYED)), (200, "true"));
        assert_eq!(again.json::<Ack>(), first);
        assert_eq!(ada.keys(&probe("topic")).await, ["key-1"]);
        server.kill();
        server.restart();
    }
    ada.publish("topic", "key-1", "something else")
        .await
        .is_refused(ErrorCode::KeyReused, &["Idempotency-Key"]);
}

#[tokio::test]
async fn eight_requests_with_one_key_at_once_become_one_event() {
    let server = TestServer::with(&FAST);
    let (ada, topic) = (server.guest("Ada").await, probe("topic"));
    let reader = server.browser("Grace", &[&topic]).await;
    for round in 1..=20 {
        let key = format!("round-{round}");
        let requests: Vec<_> = (0..8)
            .map(|_| {
                let (ada, key) = (ada.clone(), key.clone());
                tokio::spawn(async move { ada.publish("topic", &key, "once").await })
            })
            .collect();
        let mut statuses = Vec::new();
        for request in requests {
            let answer = request.await.unwrap();
            assert_eq!(answer.json::<Ack>().seq, Seq(round));
            statuses.push(answer.status);
        }
        statuses.sort();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 201]);
    }
    assert_eq!(reader.until_read(&topic, 20).await.seqs(), (1..=20).collect::<Vec<_>>());
    assert_eq!(ada.head(&topic).await, Seq(20));
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_nothing_or_one_event_that_every_reader_was_pushed() {
    let server = TestServer::with(&FAST);
    let (ada, topic) = (server.guest("Ada").await, probe("topic"));
    let readers = [server.browser("Grace", &[&topic]).await, server.browser("Joan", &[&topic]).await];
    let begun = Instant::now();
    ada.publishes("topic", "first", "x").await;
    // From at once to twice what an answer takes.
    let step = begun.elapsed() / 100;
    for attempt in 0..200 {
        hang_up_after(&server, &ada, &format!("key-{attempt}"), step * attempt).await;
    }
    // The last publish comes after all that was accepted before it.
    ada.publishes("topic", "last", "x").await;

    let keys = ada.keys(&topic).await;
    let landed = keys.len() as u64;
    assert!((3..=202).contains(&landed), "{landed} of 202 came through, which tests nothing");
    assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), keys.len(), "one event each");
    for reader in readers {
        let reading = reader.until_read(&topic, landed).await;
        assert_eq!(reading.pushed as u64, landed, "each was pushed");
        assert_eq!((reading.seqs(), reading.pulls), ((1..=landed).collect(), 1));
    }
}

/// Sends a whole publish and closes the connection before the answer is read.
async fn hang_up_after(server: &TestServer, ada: &Person, key: &str, patience: Duration) {
    let body = r#"{"text":"gone"}"#;
    let head = format!(
        "POST /api/probe/topic/events HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nIdempotency-Key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.address(),
        ada.cookie.as_deref().unwrap(),
        body.len()
    );
    let mut connection = TcpStream::connect(server.address()).await.unwrap();
    connection.set_zero_linger().unwrap();
    connection.write_all((head + body).as_bytes()).await.unwrap();
    // The moment is what is tested: before, while and after the event is appended. Timers are too coarse for it.
    let sent = Instant::now();
    while sent.elapsed() < patience {
        tokio::task::yield_now().await;
    }
}
