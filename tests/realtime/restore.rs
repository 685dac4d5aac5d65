//! `duplex restore`: puts a backup in the place of the database, and keeps the database that was there.

use std::fs;

use shared::Part;
use tempfile::TempDir;

use super::database_file::{database, run_on, stop};
use crate::support::command::{assert_refused, stdout_of};
use crate::support::{TestServer, probe};

#[tokio::test]
async fn a_restore_replaces_the_database_even_after_kill_9_and_keeps_the_old_one() {
    let mut server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "kept-", 3).await;
    let copy = server.data().join("copy.db");
    stdout_of(&run_on(&["backup", copy.to_str().unwrap()], server.data()).await);
    let before = ada.pull(&topic, Part::Newest).await;
    ada.publish_many("topic", "gone-", 2).await;
    assert_refused(&run_on(&["restore", copy.to_str().unwrap()], server.data()).await, "another process");
    server.kill();

    let report = stdout_of(&run_on(&["restore", copy.to_str().unwrap()], server.data()).await);
    assert!(report.contains("duplex.db: 3 events in 1 topic"), "{report}");
    let kept = report.lines().nth(1).and_then(|line| line.split(" is ").nth(1)).unwrap();
    let kept = kept.split(';').next().unwrap();
    let old = stdout_of(&run_on(&["verify", kept], server.data()).await);
    assert!(old.contains("5 events in 1 topic"), "nothing of it is lost: {old}");
    assert!(!server.data().join("duplex.db.restoring").exists());

    server.restart();
    let page = ada.pull(&topic, Part::Newest).await;
    assert_eq!(page.head.0, 3);
    assert_ne!(page.epoch, before.epoch, "readers start over");
    ada.publish("topic", "new", "x").await;
}

#[tokio::test]
async fn a_restore_into_an_empty_folder_creates_a_log() {
    let server = TestServer::start();
    server.guest("Ada").await.publish("topic", "k", "x").await;
    let copy = server.data().join("copy.db");
    let empty = TempDir::new().unwrap();
    stdout_of(&run_on(&["backup", copy.to_str().unwrap()], server.data()).await);
    let report = stdout_of(&run_on(&["restore", copy.to_str().unwrap()], empty.path()).await);
    assert_eq!(report.lines().count(), 1, "{report}");
    let report =
        stdout_of(&run_on(&["verify", empty.path().join("duplex.db").to_str().unwrap()], empty.path()).await);
    assert!(report.contains("1 event in 1 topic") && report.ends_with("; ok\n"), "{report}");
}

#[tokio::test]
async fn an_incomplete_backup_is_refused_and_changes_nothing() {
    let mut server = TestServer::with(&["--identity-publishes-per-sec", "1000"]);
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "k", 200).await;
    let copy = server.data().join("copy.db");
    stdout_of(&run_on(&["backup", copy.to_str().unwrap()], server.data()).await);
    stop(&mut server).await;
    let complete = fs::read(&copy).unwrap();
    let before = fs::read(database(&server)).unwrap();
    let mut torn = complete.clone();
    let middle = torn.len() / 2;
    torn[middle..middle + 4_096].fill(0xff);
    for (name, bytes) in [
        ("text.db", b"no database".to_vec()),
        ("half.db", complete[..complete.len() / 2].to_vec()),
        ("torn.db", torn),
    ] {
        let file = server.data().join(name);
        fs::write(&file, bytes).unwrap();
        for command in ["verify", "restore"] {
            let refused = run_on(&[command, file.to_str().unwrap()], server.data()).await;
            assert_eq!(refused.status.code(), Some(1), "{command} {name}");
            assert_refused(&refused, name);
        }
    }
    assert_refused(&run_on(&["restore", "/no/such/file.db"], server.data()).await, "the file cannot be read");
    assert_eq!(fs::read(database(&server)).unwrap(), before);
    let left: Vec<_> = fs::read_dir(server.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("before-")), "{left:?}");
}

#[tokio::test]
async fn each_restore_within_a_second_keeps_its_own_copy_and_one_that_fails_changes_nothing() {
    let mut server = TestServer::start();
    server.guest("Ada").await.publish("topic", "k", "x").await;
    let copy = server.data().join("copy.db");
    stdout_of(&run_on(&["backup", copy.to_str().unwrap()], server.data()).await);
    stop(&mut server).await;
    for _ in 0..3 {
        stdout_of(&run_on(&["restore", copy.to_str().unwrap()], server.data()).await);
    }
    let names = || -> Vec<String> {
        fs::read_dir(server.data())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    assert_eq!(names().iter().filter(|name| name.contains(".before-")).count(), 3);
    let own = server.data().join("duplex.db.restoring");
    fs::copy(&copy, &own).unwrap();
    assert_refused(&run_on(&["restore", own.to_str().unwrap()], server.data()).await, "duplex.db.restoring");
    assert_eq!(fs::read(&own).unwrap(), fs::read(&copy).unwrap());
}
