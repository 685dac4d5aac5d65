//! Many writers, many readers, one topic: all readers get all events, and slow readers do not affect the others.

use std::ops::Range;
use std::time::Duration;

use shared::{ServerFrame, Topic};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::support::{NO_PUBLISH_LIMIT, Person, Record, TestBrowser, TestServer, probe};

const WRITERS: usize = 20;
const EVENTS: usize = 1_000;
const READERS: usize = 50;
const SLOW: usize = 5;
/// A thousand texts are 4 MB. The buffers of a stalled socket hold only a fraction of that.
const TEXT_BYTES: usize = 4_000;
const STALL: Duration = Duration::from_secs(5);
/// The number of events that are published at once. They fit into the mailbox of a reader that reads.
const AT_ONCE: usize = 10;
/// Less than 18 MB, which the node would need if it kept a copy for each stalled reader.
const MEMORY_BYTES_MAX: u64 = 8 << 20;
const FLAGS: [&str; 4] = ["--mailbox-frames-max", "16", "--identity-publishes-per-sec", "100000"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_publishes_reach_fifty_readers_and_five_of_them_stall_for_five_seconds() {
    let server = TestServer::with(&FLAGS);
    let topic = probe("topic");
    let readers = readers(&server, &topic).await;
    let writers = writers(&server).await;
    let (slow, healthy) = readers.split_at(SLOW);
    publish(&writers, 0..EVENTS / 10, &readers, &topic).await;

    let memory = server.rss_bytes();
    let stalled = Instant::now();
    slow.iter().for_each(TestBrowser::stop_reading);
    publish(&writers, EVENTS / 10..EVENTS, healthy, &topic).await;
    for reader in healthy {
        let record = reader.read_up_to(&topic, EVENTS as u64).await;
        assert_eq!(record.seqs(), (1..=EVENTS as u64).collect::<Vec<_>>());
        assert_eq!(
            (record.pushed, record.pulls),
            (EVENTS, 1),
            "all events are pushed; the only pull is the first page"
        );
    }
    let grown = server.rss_bytes().saturating_sub(memory);
    assert!(
        grown < MEMORY_BYTES_MAX,
        "the node grew by {} KiB while 5 readers were 3.6 MB behind each",
        grown >> 10
    );

    sleep_until(stalled + STALL).await;
    slow.iter().for_each(TestBrowser::resume_reading);
    for reader in slow {
        let record = reader.read_up_to(&topic, EVENTS as u64).await;
        assert_eq!(record.seqs(), (1..=EVENTS as u64).collect::<Vec<_>>());
        assert!(record.late_heads > 0, "the reader must have been behind for the test to mean anything");
        assert!(record.pulls > 1 && record.pushed < EVENTS, "skipped events are pulled");
    }
}

async fn readers(server: &TestServer, topic: &Topic) -> Vec<TestBrowser> {
    let mut readers = Vec::new();
    for number in 0..READERS {
        readers.push(server.browser(&format!("Reader {number}"), &[topic]).await);
    }
    readers
}

async fn writers(server: &TestServer) -> Vec<Person> {
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        writers.push(server.guest(&format!("Writer {number}")).await.with_open_connections());
    }
    writers
}

/// Publishes these events with the writers in turn, a few at once, and as fast as the readers read them.
async fn publish(writers: &[Person], events: Range<usize>, readers: &[TestBrowser], topic: &Topic) {
    for round in events.step_by(AT_ONCE) {
        let mut publishes = JoinSet::new();
        for event in round..round + AT_ONCE {
            let writer = writers[event % WRITERS].clone();
            let text = "x".repeat(TEXT_BYTES);
            publishes.spawn(async move { writer.publish("topic", &format!("k{event}"), &text).await });
        }
        publishes.join_all().await;
        for reader in readers {
            reader.wait_for_seq(topic, (round + AT_ONCE) as u64).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_do_not_wait_for_readers_still_reach_all_of_them() {
    let server = TestServer::with(&NO_PUBLISH_LIMIT);
    let topic = probe("topic");
    let readers = readers(&server, &topic).await;
    let writers = writers(&server).await;
    let mut publishes = JoinSet::new();
    for writer in writers {
        publishes.spawn(async move { writer.publish_many("topic", "k", EVENTS / WRITERS).await });
    }
    publishes.join_all().await;
    for reader in readers {
        let record = reader.read_up_to(&topic, EVENTS as u64).await;
        assert_eq!(record.seqs(), (1..=EVENTS as u64).collect::<Vec<_>>());
        assert_eq!(
            (record.pushed, record.pulls),
            (EVENTS, 1),
            "a batch does not make a reader that reads fall behind"
        );
    }
}

#[tokio::test]
async fn one_reader_that_never_reads_delays_nobody() {
    let server = TestServer::with(&FLAGS);
    let topic = probe("topic");
    let stuck = server.browser("Stuck", &[&topic]).await;
    let ada = server.browser("Ada", &[&topic]).await;
    stuck.stop_reading();
    for number in 1..=200 {
        let before = Instant::now();
        ada.person.publish("topic", &format!("k{number}"), &"x".repeat(TEXT_BYTES)).await;
        ada.read_up_to(&topic, number).await;
        // The node waits three times as long before it disconnects a reader.
        assert!(before.elapsed() < Duration::from_secs(10), "one event took {:?}", before.elapsed());
    }
    assert_eq!(ada.topic_record(&topic).pulls, 1);
}

#[tokio::test]
async fn a_reader_that_fell_behind_on_one_topic_gets_the_heads_of_the_others_too() {
    let server = TestServer::with(&FLAGS);
    let loud = probe("loud");
    let quiet = probe("quiet");
    let slow = server.browser("Slow", &[&loud, &quiet]).await;
    let ada = server.guest("Ada").await;
    ada.publish("quiet", "k0", "x").await;
    slow.read_up_to(&quiet, 1).await;
    slow.stop_reading();
    for number in 0..500 {
        ada.publish("loud", &format!("k{number}"), &"x".repeat(TEXT_BYTES)).await;
    }
    ada.publish("quiet", "k1", "x").await;
    slow.resume_reading();

    assert_eq!(slow.read_up_to(&quiet, 2).await.seqs(), [1, 2]);
    assert_eq!(slow.read_up_to(&loud, 500).await.seqs(), (1..=500).collect::<Vec<_>>());
    assert!(
        slow.topic_record(&loud).late_heads > 0,
        "the reader must have been behind for the test to mean anything"
    );
    assert!(heads_of(&slow.record(), &quiet) > 1, "the quiet topic must have been behind too");
}

fn heads_of(record: &Record, of: &Topic) -> usize {
    record
        .frames
        .iter()
        .filter(|frame| matches!(frame, ServerFrame::Head { topic, .. } if topic == of))
        .count()
}
