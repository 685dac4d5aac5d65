//! What lies between client and node fails: both find out, and the reader has everything as soon as it is mended.

use std::time::{Duration, Instant};

use shared::{CloseReason, ServerFrame, Status, Topic};

use crate::support::{Cut, FaultyLink, Record, Stall, TestBrowser, TestServer, eventually, probe};

const EVERY_SECOND: [&str; 4] = ["--heartbeat-secs", "1", "--address-readers-max", "2"];

async fn behind_a_link(server: &TestServer, topic: &Topic) -> (TestBrowser, FaultyLink) {
    let link = FaultyLink::to(server.address()).await;
    let reader = server.guest("Reader").await.through(&link);
    (TestBrowser::open(reader, &[topic]).await, link)
}

#[tokio::test]
async fn a_reader_that_was_cut_off_comes_back_with_everything() {
    let (server, topic) = (TestServer::start(), probe("topic"));
    let (reader, link) = behind_a_link(&server, &topic).await;
    let ada = server.guest("Ada").await;
    for (cut, count) in [(Cut::Reset, 3), (Cut::Fin, 6)] {
        link.refuse();
        link.cut(cut);
        reader.until("it is cut off", |record| record.status != Status::Connected).await;
        ada.publishes_many("topic", &format!("{cut:?}"), 3).await;
        link.mend();
        assert_eq!(reader.until_read(&topic, count).await.seqs(), (1..=count).collect::<Vec<_>>());
        reader.until("it is back", |record| record.status == Status::Connected).await;
    }
}

#[tokio::test]
async fn a_dead_connection_is_found_by_the_client_within_two_heartbeats() {
    let (server, topic) = (TestServer::with(&EVERY_SECOND), probe("topic"));
    let (reader, link) = behind_a_link(&server, &topic).await;
    link.stall(Stall::ToClient);
    // The usual heartbeat would take longer than anything is waited for.
    reader.until("the client gives up", |record| record.status != Status::Connected).await;
}

#[tokio::test]
async fn a_dead_connection_is_found_by_the_node_within_two_heartbeats() {
    let (server, topic) = (TestServer::with(&EVERY_SECOND), probe("topic"));
    let (reader, link) = behind_a_link(&server, &topic).await;
    link.stall(Stall::ToServer);
    let before = pings(&reader.record());
    let record = reader.until("it is told so", |record| !record.closed.is_empty()).await;
    assert_eq!(record.closed, [CloseReason::HeartbeatMissed]);
    let unanswered = pings(&record) - before;
    assert!((1..=2).contains(&unanswered), "it is given up after {unanswered} pings more");
}

fn pings(record: &Record) -> usize {
    record.frames.iter().filter(|frame| matches!(frame, ServerFrame::Ping { .. })).count()
}

#[tokio::test]
async fn a_connection_that_is_dead_both_ways_is_given_up_by_both_and_costs_nothing_more() {
    let (server, topic) = (TestServer::with(&EVERY_SECOND), probe("topic"));
    let (reader, link) = behind_a_link(&server, &topic).await;
    let (ada, _second) = (server.guest("Ada").await, server.browser("Second", &[&topic]).await);
    assert_eq!(ada.handshake(&[]).await.status, 429, "both places are taken");
    link.stall(Stall::Both);
    ada.publishes_many("topic", "k", 5).await;

    reader.until("the client gives up", |record| record.status != Status::Connected).await;
    eventually("the node gives up", async || (ada.handshake(&[]).await.status == 101).then_some(())).await;
    link.mend();
    assert_eq!(reader.until_read(&topic, 5).await.seqs(), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_slow_link_brings_everything_in_order_too() {
    let (server, topic) = (TestServer::with(&["--mailbox-frames-max", "4"]), probe("topic"));
    let (reader, link) = behind_a_link(&server, &topic).await;
    link.slow(100_000);
    let ada = server.guest("Ada").await;
    for number in 0..40 {
        ada.publishes("topic", &format!("k{number}"), &"x".repeat(5_000)).await;
    }
    assert_eq!(reader.until_read(&topic, 40).await.seqs(), (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn where_no_socket_comes_through_a_reader_polls_and_is_told_as_soon() {
    let (mut server, topic) = (TestServer::start(), probe("topic"));
    let link = FaultyLink::to(server.address()).await;
    link.forbid_sockets();
    let reader = TestBrowser::open(server.guest("Reader").await.through(&link), &[&topic]).await;
    let ada = server.guest("Ada").await;
    assert_eq!(reader.record().status, Status::Polling);
    let mut took = Vec::new();
    for number in 1..=3 {
        ada.publishes("topic", &format!("k{number}"), "x").await;
        let published = Instant::now();
        reader.reaches(&topic, number).await;
        took.push(published.elapsed());
    }
    // A busy machine may hold one up; who waited for the heartbeat would take seconds each time.
    assert!(took.iter().min() < Some(&Duration::from_secs(1)), "they took {took:?}");
    server.kill();
    reader.until("the loss is noticed", |record| record.status != Status::Polling).await;
    server.restart();
    ada.publishes("topic", "k4", "x").await;

    assert_eq!(reader.until_read(&topic, 4).await.seqs(), [1, 2, 3, 4]);
    let reading = reader.reading(&topic);
    assert_eq!((reading.pushed, reading.started_over), (0, 1));
    assert!(reading.pulls < 20, "{} requests for 4 events", reading.pulls);
}

#[tokio::test]
async fn one_request_waits_for_each_topic_and_no_more() {
    let (server, topics) = (TestServer::start(), [probe("one"), probe("two"), probe("three")]);
    let link = FaultyLink::to(server.address()).await;
    link.forbid_sockets();
    let reader = server.guest("Reader").await.through(&link);
    let reader = TestBrowser::open(reader, &topics.each_ref()).await;
    let ada = server.guest("Ada").await;
    for topic in &topics {
        ada.publishes(topic.name(), "k", "x").await;
        reader.reaches(topic, 1).await;
    }
    for topic in &topics {
        // The first page, what waited, and what waits now.
        assert!(reader.reading(topic).pulls <= 3, "{topic}: {} pulls", reader.reading(topic).pulls);
    }
}
