//! `duplex backup`: a complete copy of a log in use. Readers see exactly its events once it replaces the log.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shared::{Part, Seq, endpoint};
use tokio::task::JoinSet;

use super::database_file::{run_on, with_suffix};
use crate::support::command::{run_command, stdout_of};
use crate::support::{NO_PUBLISH_LIMIT, Person, Record, TestServer, eventually, probe};

async fn backup(server: &TestServer, to: &Path) -> Output {
    run_command(|command| _ = command.arg("backup").arg(to).arg("--data").arg(server.data())).await
}

/// Asserts that a backup succeeded, and returns the number of events that it reports.
#[track_caller]
fn events(output: &Output, to: &Path) -> u64 {
    let line = stdout_of(output);
    let report = line.strip_prefix(&format!("{}: ", to.display())).expect(&line);
    let bytes = std::fs::metadata(to).unwrap().len();
    let report = report.strip_suffix(&format!("; {bytes} bytes\n")).expect(report);
    report.split(' ').next().and_then(|events| events.parse().ok()).expect(report)
}

/// Replaces the database with a backup, as the README describes.
fn replace_database(server: &TestServer, copy: &Path) {
    let database = server.data().join("duplex.db");
    for left in ["duplex.db-wal", "duplex.db-shm"] {
        assert!(!server.data().join(left).exists(), "a node that was stopped leaves no {left}");
    }
    std::fs::copy(copy, database).unwrap();
}

#[tokio::test]
async fn a_backup_under_load_contains_a_prefix_of_every_topic() {
    let mut server = TestServer::with(&NO_PUBLISH_LIMIT);
    let published = Arc::new(AtomicU64::default());
    let ada = server.guest("Ada").await;
    ada.publish_many("topic-0", "before-", 50).await;
    let mut writers: JoinSet<()> =
        (0..4).map(|number| write(ada.clone(), number, published.clone())).collect();
    let copy = server.data().join("copy.db");
    let copied = events(&backup(&server, &copy).await, &copy);
    assert!(copied >= 50, "{copied}");
    eventually("more events are published than were copied", async || {
        (50 + published.load(Ordering::Relaxed) > copied).then_some(())
    })
    .await;
    writers.shutdown().await;
    server.terminate();
    server.ended().await;
    replace_database(&server, &copy);
    server.restart_with(&["--new-epoch"]);
    let mut total = 0;
    for number in 0..4 {
        let page = ada.pull(&probe(&format!("topic-{number}")), Part::Newest).await;
        let seqs: Vec<u64> = page.events.iter().map(|event| event.seq.0).collect();
        assert_eq!(seqs, (page.head.0 + 1 - seqs.len() as u64..=page.head.0).collect::<Vec<_>>());
        total += page.head.0;
    }
    assert_eq!(total, copied, "the copy has the reported number of events");
}

async fn write(ada: Person, topic: usize, published: Arc<AtomicU64>) {
    for number in 0.. {
        ada.publish(&format!("topic-{topic}"), &format!("k{number}"), "under load").await;
        published.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn after_a_backup_is_restored_every_reader_starts_over_and_none_sees_lost_events() {
    let mut server = TestServer::with(&NO_PUBLISH_LIMIT);
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let reader = server.browser("Grace", &[&topic]).await;
    ada.publish_many("topic", "kept-", 5).await;
    let copy = server.data().join("copy.db");
    assert_eq!(events(&backup(&server, &copy).await, &copy), 5);
    ada.publish_many("topic", "gone-", 5).await;
    let before = ada.pull(&topic, Part::Newest).await;
    reader.read_up_to(&topic, 10).await;
    server.terminate();
    server.ended().await;
    replace_database(&server, &copy);
    server.restart_with(&["--new-epoch"]);

    // More than was lost, so that the old position is within the new log.
    ada.publish_many("topic", "new-", 8).await;
    let path = endpoint::events(&topic, Part::After(Seq(10)), Some(&before.epoch), 500);
    let page: shared::EventPage = ada.get(&path).await.json();
    assert_ne!(page.epoch, before.epoch);
    let kept = (1..=5).map(|number| format!("kept-{number}"));
    let keys: Vec<String> = kept.chain((1..=8).map(|number| format!("new-{number}"))).collect();
    let read: Vec<_> = page.events.iter().map(|event| event.key.as_str()).collect();
    assert_eq!(read, keys, "an old position gets the newest page");
    let shown = |record: &Record| -> Vec<String> {
        record.topics[&topic].events.iter().map(|event| event.key.as_str().to_owned()).collect()
    };
    reader
        .wait_until("the reader shows the events of the log, and nothing else", |record| {
            shown(record) == keys
        })
        .await;
}

#[tokio::test]
async fn a_backup_overwrites_no_file_and_needs_a_log() {
    let server = TestServer::start();
    server.guest("Ada").await;
    let existing = server.data().join("existing.db");
    std::fs::write(&existing, "precious").unwrap();
    let refused = backup(&server, &existing).await;
    assert_eq!(refused.status.code(), Some(1));
    let line = String::from_utf8(refused.stderr).unwrap();
    assert!(line.contains("existing.db") && line.lines().count() == 1, "{line}");
    assert_eq!(std::fs::read_to_string(&existing).unwrap(), "precious");

    let empty = tempfile::TempDir::new().unwrap();
    let copy = empty.path().join("copy.db");
    let output =
        run_command(|command| _ = command.arg("--data").arg(empty.path()).arg("backup").arg(&copy)).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "the command creates no files");
}

#[tokio::test]
async fn an_unfinished_backup_does_not_block_its_name() {
    let server = TestServer::start();
    server.guest("Ada").await.publish("topic", "k", "x").await;
    let copy = server.data().join("copy.db");
    std::fs::write(with_suffix(&copy, ".unfinished"), "the beginning of one that was killed").unwrap();
    let report = stdout_of(&run_on(&["backup", copy.to_str().unwrap()], server.data()).await);
    assert!(report.contains("1 event in 1 topic"), "{report}");
    assert!(!with_suffix(&copy, ".unfinished").exists());
}
