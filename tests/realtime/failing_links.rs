//! The network between client and node fails: both notice it, and the reader has everything once the network is back.

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
async fn a_reader_that_was_cut_off_reconnects_and_has_everything() {
    let server = TestServer::start();
    let topic = probe("topic");
    let (reader, link) = behind_a_link(&server, &topic).await;
    let ada = server.guest("Ada").await;
    for (cut, count) in [(Cut::Reset, 3), (Cut::Fin, 6)] {
        link.refuse();
        link.cut(cut);
        reader.wait_until("the reader is cut off", |record| record.status != Status::Connected).await;
        ada.publish_many("topic", &format!("{cut:?}"), 3).await;
        link.mend();
        assert_eq!(reader.read_up_to(&topic, count).await.seqs(), (1..=count).collect::<Vec<_>>());
        reader.wait_until("the reader is back", |record| record.status == Status::Connected).await;
    }
}

#[tokio::test]
async fn the_client_detects_a_dead_connection_within_two_heartbeats() {
    let server = TestServer::with(&EVERY_SECOND);
    let topic = probe("topic");
    let (reader, link) = behind_a_link(&server, &topic).await;
    link.stall(Stall::ToClient);
    // With the usual heartbeat, it would take longer than the deadline.
    reader.wait_until("the client gives up", |record| record.status != Status::Connected).await;
}

#[tokio::test]
async fn the_node_detects_a_dead_connection_within_two_heartbeats() {
    let server = TestServer::with(&EVERY_SECOND);
    let topic = probe("topic");
    let (reader, link) = behind_a_link(&server, &topic).await;
    link.stall(Stall::ToServer);
    let before = pings(&reader.record());
    let record = reader.wait_until("the socket is closed", |record| !record.closed.is_empty()).await;
    assert_eq!(record.closed, [CloseReason::HeartbeatMissed]);
    let unanswered = pings(&record) - before;
    assert!((1..=2).contains(&unanswered), "it was closed after {unanswered} more pings");
}

fn pings(record: &Record) -> usize {
    record.frames.iter().filter(|frame| matches!(frame, ServerFrame::Ping { .. })).count()
}

#[tokio::test]
async fn client_and_node_give_up_a_connection_that_is_dead_in_both_directions() {
    let server = TestServer::with(&EVERY_SECOND);
    let topic = probe("topic");
    let (reader, link) = behind_a_link(&server, &topic).await;
    let ada = server.guest("Ada").await;
    let _second = server.browser("Second", &[&topic]).await;
    assert_eq!(ada.handshake(&[]).await.status, 429, "both places are taken");
    link.stall(Stall::Both);
    ada.publish_many("topic", "k", 5).await;

    reader.wait_until("the client gives up", |record| record.status != Status::Connected).await;
    eventually("the node gives up", async || (ada.handshake(&[]).await.status == 101).then_some(())).await;
    link.mend();
    assert_eq!(reader.read_up_to(&topic, 5).await.seqs(), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_slow_link_delivers_everything_in_order() {
    let server = TestServer::with(&["--mailbox-frames-max", "4"]);
    let topic = probe("topic");
    let (reader, link) = behind_a_link(&server, &topic).await;
    link.slow(100_000);
    let ada = server.guest("Ada").await;
    for number in 0..40 {
        ada.publish("topic", &format!("k{number}"), &"x".repeat(5_000)).await;
    }
    assert_eq!(reader.read_up_to(&topic, 40).await.seqs(), (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_whose_network_forbids_sockets_polls_and_gets_events_as_soon() {
    let mut server = TestServer::start();
    let topic = probe("topic");
    let link = FaultyLink::to(server.address()).await;
    link.forbid_sockets();
    let reader = TestBrowser::open(server.guest("Reader").await.through(&link), &[&topic]).await;
    let ada = server.guest("Ada").await;
    assert_eq!(reader.record().status, Status::Polling);
    let mut delays = Vec::new();
    for number in 1..=3 {
        ada.publish("topic", &format!("k{number}"), "x").await;
        let published = Instant::now();
        reader.wait_for_seq(&topic, number).await;
        delays.push(published.elapsed());
    }
    // A busy machine may delay one. A node that waited for the heartbeat would delay all of them by seconds.
    assert!(delays.iter().min() < Some(&Duration::from_secs(1)), "the delays are {delays:?}");
    server.kill();
    reader.wait_until("the loss is noticed", |record| record.status != Status::Polling).await;
    server.restart();
    ada.publish("topic", "k4", "x").await;

    assert_eq!(reader.read_up_to(&topic, 4).await.seqs(), [1, 2, 3, 4]);
    let record = reader.topic_record(&topic);
    assert_eq!((record.pushed, record.started_over), (0, 1));
    assert!(record.pulls < 20, "{} requests for 4 events", record.pulls);
}

#[tokio::test]
async fn a_polling_reader_has_one_waiting_request_for_each_topic() {
    let server = TestServer::start();
    let topics = [probe("one"), probe("two"), probe("three")];
    let link = FaultyLink::to(server.address()).await;
    link.forbid_sockets();
    let reader = server.guest("Reader").await.through(&link);
    let reader = TestBrowser::open(reader, &topics.each_ref()).await;
    let ada = server.guest("Ada").await;
    for topic in &topics {
        ada.publish(topic.name(), "k", "x").await;
        reader.wait_for_seq(topic, 1).await;
    }
    for topic in &topics {
        // The first page, the poll that was answered, and the poll that waits now.
        assert!(reader.topic_record(topic).pulls <= 3, "{topic}: {} pulls", reader.topic_record(topic).pulls);
    }
}
