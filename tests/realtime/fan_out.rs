//! Many writers, many readers, one topic: all get all, and who cannot keep up costs the others nothing.

use std::ops::Range;
use std::time::Duration;

use shared::{ServerFrame, Topic};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::support::{Person, Record, TestBrowser, TestServer, probe};

const WRITERS: usize = 20;
const EVENTS: usize = 1_000;
const READERS: usize = 50;
const SLOW: usize = 5;
/// A thousand of them are 4 MB, of which a stalled socket swallows a fraction.
const TEXT_BYTES: usize = 4_000;
const STALL: Duration = Duration::from_secs(5);
/// So many events come at once, and fit the mailbox of a reader that takes them.
const AT_ONCE: usize = 10;
/// Less than the 18 MB of a copy for each reader that stalls.
const MEMORY_BYTES_MAX: u64 = 8 << 20;
const FAST: [&str; 2] = ["--identity-publishes-per-sec", "100000"];
const FLAGS: [&str; 4] = ["--mailbox-frames-max", "16", "--identity-publishes-per-sec", "100000"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_publishes_reach_fifty_readers_and_five_of_them_stall_for_five_seconds() {
    let (server, topic) = (TestServer::with(&FLAGS), probe("topic"));
    let (readers, writers) = (readers(&server, &topic).await, writers(&server).await);
    let (slow, healthy) = readers.split_at(SLOW);
    publish(&writers, 0..EVENTS / 10, &readers, &topic).await;

    let memory = server.rss_bytes();
    let stalled = Instant::now();
    slow.iter().for_each(TestBrowser::stops_reading);
    publish(&writers, EVENTS / 10..EVENTS, healthy, &topic).await;
    for reader in healthy {
        let reading = reader.until_read(&topic, EVENTS as u64).await;
        assert_eq!(reading.seqs(), (1..=EVENTS as u64).collect::<Vec<_>>());
        assert_eq!((reading.pushed, reading.pulls), (EVENTS, 1), "all pushed, no pull beyond the first page");
    }
    let grown = server.rss_bytes().saturating_sub(memory);
    assert!(grown < MEMORY_BYTES_MAX, "{} KiB more, while 5 readers lacked 3.6 MB each", grown >> 10);

    sleep_until(stalled + STALL).await;
    slow.iter().for_each(TestBrowser::reads_on);
    for reader in slow {
        let reading = reader.until_read(&topic, EVENTS as u64).await;
        assert_eq!(reading.seqs(), (1..=EVENTS as u64).collect::<Vec<_>>());
        assert!(reading.heads_in_mid_stream > 0, "it was never behind, which tests nothing");
        assert!(reading.pulls > 1 && reading.pushed < EVENTS, "what was skipped was pulled");
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

/// The writers publish these events in turn, a few at once, and as fast as these readers read them.
async fn publish(writers: &[Person], events: Range<usize>, readers: &[TestBrowser], topic: &Topic) {
    for round in events.step_by(AT_ONCE) {
        let mut publishes = JoinSet::new();
        for event in round..round + AT_ONCE {
            let writer = writers[event % WRITERS].clone();
            let text = "x".repeat(TEXT_BYTES);
            publishes.spawn(async move { writer.publishes("topic", &format!("k{event}"), &text).await });
        }
        publishes.join_all().await;
        for reader in readers {
            reader.reaches(topic, (round + AT_ONCE) as u64).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_wait_for_nobody_still_reach_everybody() {
    let (server, topic) = (TestServer::with(&FAST), probe("topic"));
    let (readers, writers) = (readers(&server, &topic).await, writers(&server).await);
    let mut publishes = JoinSet::new();
    for writer in writers {
        publishes.spawn(async move { writer.publishes_many("topic", "k", EVENTS / WRITERS).await });
    }
    publishes.join_all().await;
    for reader in readers {
        let reading = reader.until_read(&topic, EVENTS as u64).await;
        assert_eq!(reading.seqs(), (1..=EVENTS as u64).collect::<Vec<_>>());
        assert_eq!((reading.pushed, reading.pulls), (EVENTS, 1), "a batch is no reason to skip who reads");
    }
}

#[tokio::test]
async fn one_reader_that_never_reads_delays_nobody() {
    let (server, topic) = (TestServer::with(&FLAGS), probe("topic"));
    let stuck = server.browser("Stuck", &[&topic]).await;
    let ada = server.browser("Ada", &[&topic]).await;
    stuck.stops_reading();
    for number in 1..=200 {
        let before = Instant::now();
        ada.person.publishes("topic", &format!("k{number}"), &"x".repeat(TEXT_BYTES)).await;
        ada.until_read(&topic, number).await;
        // The node waits three times as long before it gives a reader up.
        assert!(before.elapsed() < Duration::from_secs(10), "one event took {:?}", before.elapsed());
    }
    assert_eq!(ada.reading(&topic).pulls, 1);
}

#[tokio::test]
async fn a_reader_behind_on_one_topic_is_told_of_the_others_too() {
    let (server, loud, quiet) = (TestServer::with(&FLAGS), probe("loud"), probe("quiet"));
    let (slow, ada) = (server.browser("Slow", &[&loud, &quiet]).await, server.guest("Ada").await);
    ada.publishes("quiet", "k0", "x").await;
    slow.until_read(&quiet, 1).await;
    slow.stops_reading();
    for number in 0..500 {
        ada.publishes("loud", &format!("k{number}"), &"x".repeat(TEXT_BYTES)).await;
    }
    ada.publishes("quiet", "k1", "x").await;
    slow.reads_on();

    assert_eq!(slow.until_read(&quiet, 2).await.seqs(), [1, 2]);
    assert_eq!(slow.until_read(&loud, 500).await.seqs(), (1..=500).collect::<Vec<_>>());
    assert!(slow.reading(&loud).heads_in_mid_stream > 0, "it was never behind, which tests nothing");
    assert!(heads_of(&slow.record(), &quiet) > 1, "nor was the quiet topic");
}

fn heads_of(record: &Record, of: &Topic) -> usize {
    record
        .frames
        .iter()
        .filter(|frame| matches!(frame, ServerFrame::Head { topic, .. } if topic == of))
        .count()
}
