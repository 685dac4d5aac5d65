//! `duplex backup`: a whole copy of a log in use, and what readers see once it is put back.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shared::{Part, Seq, endpoint};
use tokio::task::JoinSet;

use crate::http::start::start;
use crate::support::{Person, Record, TestServer, eventually, probe};

const FAST: [&str; 2] = ["--identity-publishes-per-sec", "100000"];

async fn backup(server: &TestServer, to: &Path) -> Output {
    start(|command| _ = command.arg("backup").arg(to).arg("--data").arg(server.data())).await
}

/// How many events it says to have copied.
#[track_caller]
fn events(output: &Output, to: &Path) -> u64 {
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let told = said.strip_prefix(&format!("{}: ", to.display())).expect(&said);
    let bytes = std::fs::metadata(to).unwrap().len();
    let told = told.strip_suffix(&format!("; {bytes} bytes\n")).expect(told);
    told.split(' ').next().and_then(|events| events.parse().ok()).expect(told)
}

/// In place of what is there, as the README says.
fn put_back(server: &TestServer, copy: &Path) {
    let database = server.data().join("duplex.db");
    for left in ["duplex.db-wal", "duplex.db-shm"] {
        assert!(!server.data().join(left).exists(), "a node that was stopped leaves {left}");
    }
    std::fs::copy(copy, database).unwrap();
}

#[tokio::test]
async fn a_copy_made_under_load_holds_a_beginning_of_every_topic_and_no_hole() {
    let (mut server, published) = (TestServer::with(&FAST), Arc::new(AtomicU64::default()));
    let ada = server.guest("Ada").await;
    ada.publishes_many("topic-0", "before-", 50).await;
    let mut writers: JoinSet<()> =
        (0..4).map(|number| write(ada.clone(), number, published.clone())).collect();
    let copy = server.data().join("copy.db");
    let copied = events(&backup(&server, &copy).await, &copy);
    assert!(copied >= 50, "{copied}");
    eventually("more is published than was copied", async || {
        (50 + published.load(Ordering::Relaxed) > copied).then_some(())
    })
    .await;
    writers.shutdown().await;
    server.terminate();
    server.ended().await;
    put_back(&server, &copy);
    server.restart_with(&["--new-epoch"]);
    let mut held = 0;
    for number in 0..4 {
        let page = ada.pull(&probe(&format!("topic-{number}")), Part::Newest).await;
        let seqs: Vec<u64> = page.events.iter().map(|event| event.seq.0).collect();
        assert_eq!(seqs, (page.head.0 + 1 - seqs.len() as u64..=page.head.0).collect::<Vec<_>>());
        held += page.head.0;
    }
    assert_eq!(held, copied, "its people are in it too: she is still signed in");
}

async fn write(ada: Person, topic: usize, published: Arc<AtomicU64>) {
    for number in 0.. {
        ada.publishes(&format!("topic-{topic}"), &format!("k{number}"), "under load").await;
        published.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn after_a_backup_is_put_back_every_reader_starts_over_and_none_sees_what_is_gone() {
    let (mut server, topic) = (TestServer::with(&FAST), probe("topic"));
    let ada = server.guest("Ada").await;
    let reader = server.browser("Grace", &[&topic]).await;
    ada.publishes_many("topic", "kept-", 5).await;
    let copy = server.data().join("copy.db");
    assert_eq!(events(&backup(&server, &copy).await, &copy), 5);
    ada.publishes_many("topic", "gone-", 5).await;
    let before = ada.pull(&topic, Part::Newest).await;
    reader.until_read(&topic, 10).await;
    server.terminate();
    server.ended().await;
    put_back(&server, &copy);
    server.restart_with(&["--new-epoch"]);

    // More than was lost, so that the old position is within the new log.
    ada.publishes_many("topic", "new-", 8).await;
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
    reader.until("it shows what the log holds, and nothing else", |record| shown(record) == keys).await;
}

#[tokio::test]
async fn a_backup_replaces_nothing_and_needs_a_log() {
    let server = TestServer::start();
    server.guest("Ada").await;
    let there = server.data().join("there.db");
    std::fs::write(&there, "precious").unwrap();
    let refused = backup(&server, &there).await;
    assert_eq!(refused.status.code(), Some(1));
    let line = String::from_utf8(refused.stderr).unwrap();
    assert!(line.contains("there.db") && line.lines().count() == 1, "{line}");
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "precious");

    let empty = tempfile::TempDir::new().unwrap();
    let copy = empty.path().join("copy.db");
    let output = start(|command| _ = command.arg("--data").arg(empty.path()).arg("backup").arg(&copy)).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "nothing is left or made");
}
