//! Acknowledged events stay, and a repeated publish adds nothing.

use std::time::{Duration, Instant};

use shared::{Ack, ErrorCode, Part, Seq, endpoint};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{NO_PUBLISH_LIMIT, Person, TestResponse, TestServer, eventually, probe};

#[tokio::test]
async fn acknowledged_events_survive_a_hundred_times_kill_9() {
    let mut server = TestServer::with(&NO_PUBLISH_LIMIT);
    let ada = server.guest("Ada").await;
    let mut acknowledged = Vec::new();
    for round in 1..=100 {
        let key = format!("round-{round}");
        let ack = ada.publish("topic", &key, "durable").await;
        server.kill();
        assert_eq!(ack.seq, Seq(round));
        acknowledged.push(key);
        server.restart();
    }
    assert_eq!(ada.keys(&probe("topic")).await, acknowledged);
}

#[tokio::test]
async fn many_writers_lose_no_acknowledged_event_to_kill_9() {
    let mut server = TestServer::with(&NO_PUBLISH_LIMIT);
    let ada = server.guest("Ada").await;
    let writers = (0..8).map(|writer| tokio::spawn(publish_until_killed(ada.clone(), writer)));
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
    assert!(acknowledged.len() > 10, "too few events were acknowledged for the test to mean anything");
    for (key, ack) in acknowledged {
        let event = &page.events[ack.seq.0 as usize - 1];
        assert_eq!((event.key.as_str(), event.seq), (key.as_str(), ack.seq));
    }
}

async fn publish_until_killed(ada: Person, writer: usize) -> Vec<(String, Ack)> {
    let mut acknowledged = Vec::new();
    for number in 0..50 {
        let key = format!("w{writer}-{number}");
        let Ok(response) = ada.draft("topic", &key, "x").send().await else { break };
        let Ok(answer) = TestResponse::of(response).await else { break };
        acknowledged.push((key, answer.json()));
    }
    acknowledged
}

#[tokio::test]
async fn a_repeated_key_is_answered_from_the_log_even_after_a_restart() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    let first = ada.publish("topic", "key-1", "hello").await;
    for _ in 0..2 {
        let again = ada.try_publish("topic", "key-1", "hello").await;
        assert_eq!((again.status, again.header(endpoint::IDEMPOTENCY_REPLAYED)), (200, "true"));
        assert_eq!(again.json::<Ack>(), first);
        assert_eq!(ada.keys(&probe("topic")).await, ["key-1"]);
        server.kill();
        server.restart();
    }
    ada.try_publish("topic", "key-1", "something else")
        .await
        .is_refused(ErrorCode::KeyReused, &["Idempotency-Key"]);
}

#[tokio::test]
async fn eight_simultaneous_requests_with_one_key_become_one_event() {
    let server = TestServer::with(&NO_PUBLISH_LIMIT);
    let ada = server.guest("Ada").await;
    let topic = probe("topic");
    let reader = server.browser("Grace", &[&topic]).await;
    for round in 1..=20 {
        let key = format!("round-{round}");
        let requests: Vec<_> = (0..8)
            .map(|_| {
                let ada = ada.clone();
                let key = key.clone();
                tokio::spawn(async move { ada.try_publish("topic", &key, "once").await })
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
    assert_eq!(reader.read_up_to(&topic, 20).await.seqs(), (1..=20).collect::<Vec<_>>());
    assert_eq!(ada.head(&topic).await, Seq(20));
}

#[tokio::test]
async fn a_publish_whose_client_hangs_up_becomes_no_event_or_one_that_every_reader_gets() {
    let server = TestServer::with(&NO_PUBLISH_LIMIT);
    let ada = server.guest("Ada").await;
    let topic = probe("topic");
    let readers = [server.browser("Grace", &[&topic]).await, server.browser("Joan", &[&topic]).await];
    let begun = Instant::now();
    ada.publish("topic", "first", "x").await;
    // The delays range from 0 to twice the time of an answer.
    let step = begun.elapsed() / 100;
    for attempt in 0..200 {
        hang_up_after(&server, &ada, &format!("key-{attempt}"), step * attempt).await;
    }
    // The last publish comes after all publishes that the node accepted before it.
    ada.publish("topic", "last", "x").await;

    let keys = ada.keys(&topic).await;
    let landed = keys.len() as u64;
    assert!(
        (3..=202).contains(&landed),
        "{landed} of 202 publishes succeeded: too few or too many for the test to mean anything"
    );
    assert_eq!(
        keys.iter().collect::<std::collections::BTreeSet<_>>().len(),
        keys.len(),
        "each key has one event"
    );
    for reader in readers {
        let record = reader.read_up_to(&topic, landed).await;
        assert_eq!(record.pushed as u64, landed, "all events were pushed");
        assert_eq!((record.seqs(), record.pulls), ((1..=landed).collect(), 1));
    }
}

/// Sends a complete publish, and closes the connection before it reads the answer.
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
    // The exact moment is under test: before, while or after the event is appended. Timers are too coarse.
    let sent = Instant::now();
    while sent.elapsed() < patience {
        tokio::task::yield_now().await;
    }
}
