//! A database of an older version, before its tables had their current names. It can be opened, backed up, verified and
//! restored, without losing anything.
//!
//! `older_database.db` holds three events of `probe:old`, one of `probe:other`, and Ada's account with a sign-in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use shared::{Part, Seq, endpoint};
use tempfile::TempDir;

use crate::support::command::{run_command, stdout_of};
use crate::support::{Person, TestServer, probe};

const OLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/realtime/older_database.db");
const EPOCH: &str = "MR3Vvq2J4Q87uD6G";
/// The token of Ada's sign-in. The file contains its SHA-256.
const TOKEN: &str = "U6SHq34q7Z9jJJrT3AScm2";

fn copy(folder: &TempDir) -> PathBuf {
    let file = folder.path().join("older.db");
    fs::copy(OLDER, &file).unwrap();
    file
}

fn database_flag(file: &Path) -> String {
    format!("--database=sqlite:{}", file.display())
}

/// Returns Ada with her cookie from the older version.
fn ada(server: &TestServer) -> Person {
    let mut ada = server.stranger();
    ada.cookie = Some(format!("duplex-{}={TOKEN}", server.address().port()));
    ada
}

async fn assert_complete(server: &TestServer) {
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
    let known = ada.try_publish("old", "key-2", "said before 2").await;
    assert_eq!(
        (known.status, known.json::<shared::Ack>().seq),
        (200, Seq(2)),
        "its idempotency keys are known"
    );
    assert_eq!(ada.publish("old", "key-4", "said after").await.seq, Seq(4));
}

#[track_caller]
fn assert_summary(output: &Output) {
    let text = stdout_of(output);
    assert!(text.contains("4 events in 2 topics, the newest of 2026-11-28"), "{text}");
}

#[tokio::test]
async fn a_database_of_an_older_version_is_migrated_and_keeps_everything() {
    let folder = TempDir::new().unwrap();
    let flag = database_flag(&copy(&folder));
    let mut server = TestServer::with(&[&flag]);
    assert_eq!(ada(&server).pull(&probe("old"), Part::Newest).await.epoch.as_str(), EPOCH);
    assert_complete(&server).await;
    assert_eq!(ada(&server).get("/readyz").await.status, 200);
    server.kill();
    server.restart();
    assert_eq!(ada(&server).head(&probe("old")).await, Seq(4), "the migrated database opens again");
}

#[tokio::test]
async fn a_backup_of_an_older_version_is_verified_and_restored() {
    let folder = TempDir::new().unwrap();
    let older = copy(&folder);
    let older = older.to_str().unwrap();
    let mut server = TestServer::start();
    server.kill();
    assert_summary(&run_command(|command| _ = command.args(["verify", older])).await);
    let data = server.data().to_owned();
    assert_summary(&run_command(|command| _ = command.args(["restore", older, "--data"]).arg(&data)).await);
    server.restart();
    let epoch = ada(&server).pull(&probe("old"), Part::Newest).await.epoch;
    assert_ne!(epoch.as_str(), EPOCH, "every reader starts over");
    assert_complete(&server).await;
}

#[tokio::test]
async fn a_database_of_an_older_version_is_backed_up_before_its_migration() {
    let folder = TempDir::new().unwrap();
    let flag = database_flag(&copy(&folder));
    let backup = folder.path().join("backup.db");
    assert_summary(&run_command(|command| _ = command.arg("backup").arg(&backup).arg(&flag)).await);
    assert_summary(&run_command(|command| _ = command.arg("verify").arg(&backup)).await);
    let checked = run_command(|command| _ = command.args(["--check-config", &flag])).await;
    assert!(checked.status.success(), "{checked:?}");
}
