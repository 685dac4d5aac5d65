//! A database that an older version left behind, before its tables had their present names: opened, backed up, verified
//! and restored, with everything that is in it.
//!
//! `older_database.db` holds three events of `probe:old`, one of `probe:other`, and Ada's account with a sign-in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use shared::{Part, Seq, endpoint};
use tempfile::TempDir;

use crate::http::start::start;
use crate::support::{Person, TestServer, probe};

const OLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/realtime/older_database.db");
const EPOCH: &str = "MR3Vvq2J4Q87uD6G";
/// The token of Ada's sign-in, of which the file has the SHA-256.
const TOKEN: &str = "U6SHq34q7Z9jJJrT3AScm2";

fn copy(folder: &TempDir) -> PathBuf {
    let file = folder.path().join("older.db");
    fs::copy(OLDER, &file).unwrap();
    file
}

fn database_flag(file: &Path) -> String {
    format!("--database=sqlite:{}", file.display())
}

/// Ada, with the cookie that she got from the older version.
fn ada(server: &TestServer) -> Person {
    let mut ada = server.stranger();
    ada.cookie = Some(format!("duplex-{}={TOKEN}", server.address().port()));
    ada
}

async fn has_everything(server: &TestServer) {
    let ada = ada(server);
    let me = ada.get(endpoint::ME).await;
    assert_eq!(me.status, 200);
    assert!(me.text().contains("Ada Lovelace"), "{}", me.text());
    let page = ada.pull(&probe("old"), Part::Newest).await;
    let texts: Vec<&str> = page.events.iter().map(|event| event.payload.as_json()).collect();
    assert_eq!(
        texts,
        [r#"{"text":"said before 1"}"#, r#"{"text":"said before 2"}"#, r#"{"text":"said before 3"}"#]
    );
    assert_eq!(ada.head(&probe("other")).await, Seq(1));
    let known = ada.publish("old", "key-2", "said before 2").await;
    assert_eq!((known.status, known.json::<shared::Ack>().seq), (200, Seq(2)), "its keys are known");
    assert_eq!(ada.publishes("old", "key-4", "said after").await.seq, Seq(4));
}

#[track_caller]
fn summary(output: &Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(text.contains("4 events in 2 topics, the newest of 2026-11-28"), "{text}");
    text
}

#[tokio::test]
async fn a_database_of_an_older_version_is_migrated_and_keeps_everything() {
    let folder = TempDir::new().unwrap();
    let flag = database_flag(&copy(&folder));
    let mut server = TestServer::with(&[&flag]);
    assert_eq!(ada(&server).pull(&probe("old"), Part::Newest).await.epoch.as_str(), EPOCH);
    has_everything(&server).await;
    assert_eq!(ada(&server).get("/readyz").await.status, 200);
    server.kill();
    server.restart();
    assert_eq!(ada(&server).head(&probe("old")).await, Seq(4), "it is opened again");
}

#[tokio::test]
async fn a_backup_of_an_older_version_is_verified_and_restored() {
    let folder = TempDir::new().unwrap();
    let older = copy(&folder);
    let older = older.to_str().unwrap();
    let mut server = TestServer::start();
    server.kill();
    summary(&start(|command| _ = command.args(["verify", older])).await);
    let data = server.data().to_owned();
    summary(&start(|command| _ = command.args(["restore", older, "--data"]).arg(&data)).await);
    server.restart();
    let epoch = ada(&server).pull(&probe("old"), Part::Newest).await.epoch;
    assert_ne!(epoch.as_str(), EPOCH, "every reader starts over");
    has_everything(&server).await;
}

#[tokio::test]
async fn a_database_that_no_newer_version_has_opened_yet_is_backed_up() {
    let folder = TempDir::new().unwrap();
    let flag = database_flag(&copy(&folder));
    let backup = folder.path().join("backup.db");
    summary(&start(|command| _ = command.arg("backup").arg(&backup).arg(&flag)).await);
    summary(&start(|command| _ = command.arg("verify").arg(&backup)).await);
    let checked = start(|command| _ = command.args(["--check-config", &flag])).await;
    assert!(checked.status.success(), "{checked:?}");
}
