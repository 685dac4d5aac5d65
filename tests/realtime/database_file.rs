//! The file of the log: changes to it between two starts, and under a running node. Backups are in `backup.rs`,
//! restores in `restore.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::support::command::{assert_refused, run_command, stdout_of};
use crate::support::{TestServer, eventually, probe};

/// Runs a command of the program on a data folder.
pub async fn run_on(words: &[&str], data: &Path) -> Output {
    run_command(|command| _ = command.args(words).arg("--data").arg(data)).await
}

pub fn database(server: &TestServer) -> PathBuf {
    server.data().join("duplex.db")
}

pub fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

pub async fn stop(server: &mut TestServer) {
    server.terminate();
    server.ended().await;
}

async fn start_on(data: &Path) -> Output {
    run_on(&["--listen", "127.0.0.1:0"], data).await
}

#[tokio::test]
async fn a_start_logs_the_state_of_the_log() {
    let mut server = TestServer::start();
    server.wait_for_stderr("made a new log").await;
    server.guest("Ada").await.publish_many("topic", "k", 3).await;
    stop(&mut server).await;
    server.restart();
    server.wait_for_stderr("opened the log: 3 events in 1 topic, the newest of 20").await;
}

#[tokio::test]
async fn a_database_copied_without_its_wal_is_refused() {
    let server = TestServer::start();
    server.guest("Ada").await.publish_many("topic", "k", 3).await;
    let copied = TempDir::new().unwrap();
    fs::copy(database(&server), copied.path().join("duplex.db")).unwrap();
    // A supervisor retries, and an operator runs commands in between.
    for _ in 0..3 {
        let refused = start_on(copied.path()).await;
        assert_refused(&refused, "duplex.db-wal");
        assert_refused(&refused, "--new-epoch");
        assert_refused(&run_on(&["--check-config"], copied.path()).await, "duplex.db-wal");
        let copy = copied.path().join("duplex.db");
        assert_refused(&run_on(&["verify", copy.to_str().unwrap()], copied.path()).await, "duplex.db-wal");
        assert_refused(&run_on(&["backup", "/tmp/never.db"], copied.path()).await, "duplex.db-wal");
    }

    // With the -wal, nothing is missing.
    fs::copy(with_suffix(&database(&server), "-wal"), copied.path().join("duplex.db-wal")).unwrap();
    let report = stdout_of(
        &run_on(&["verify", copied.path().join("duplex.db").to_str().unwrap()], copied.path()).await,
    );
    assert!(report.contains("3 events in 1 topic"), "{report}");
}

#[tokio::test]
async fn a_lost_wal_is_refused_until_the_operator_accepts_it() {
    let mut server = TestServer::start();
    server.guest("Ada").await.publish("topic", "k", "x").await;
    server.kill();
    fs::remove_file(with_suffix(&database(&server), "-wal")).unwrap();
    assert_refused(&start_on(server.data()).await, "duplex.db-wal");
    server.restart_with(&["--new-epoch"]);
    server.guest("Ada").await.publish("topic", "k", "x").await;
}

#[tokio::test]
async fn a_database_next_to_the_wal_of_another_is_refused_and_left_unchanged() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "kept-", 3).await;
    let copy = server.data().join("copy.db");
    stdout_of(&run_on(&["backup", copy.to_str().unwrap()], server.data()).await);
    ada.publish_many("topic", "gone-", 3).await;
    server.kill();
    fs::copy(&copy, database(&server)).unwrap();
    let before = fs::read(database(&server)).unwrap();
    assert_refused(&start_on(server.data()).await, "restore");
    assert_eq!(fs::read(database(&server)).unwrap(), before);
}

#[tokio::test]
async fn a_path_is_a_path_whatever_characters_it_has() {
    for name in ["a%20b", "a b", "what?", "a#b", "file:x", "it's", "ä"] {
        let mut server = TestServer::in_folder(name);
        let data = server.data().to_owned();
        assert_eq!(stdout_of(&run_on(&["--check-config"], &data).await), "ok\n", "{name}");
        server.guest("Ada").await.publish("topic", "k", "x").await;
        assert!(data.join("duplex.db").is_file(), "{name}");
        let copy = data.join("file:copy?.db");
        stdout_of(&run_on(&["backup", copy.to_str().unwrap()], &data).await);
        stop(&mut server).await;
        stdout_of(&run_on(&["verify", copy.to_str().unwrap()], &data).await);
        let made = fs::read_dir(data.parent().unwrap()).unwrap().count();
        assert_eq!(made, 1, "no other file is created next to {name}");
    }
}

#[tokio::test]
async fn a_database_cannot_be_used_from_two_data_folders() {
    let server = TestServer::start();
    let other = TempDir::new().unwrap();
    let link = other.path().join("link.db");
    std::os::unix::fs::symlink(database(&server), &link).unwrap();
    for file in [database(&server), link] {
        let log = format!("--database=sqlite:{}", file.display());
        assert_refused(
            &run_on(&["--listen", "127.0.0.1:0", &log], other.path()).await,
            "another process uses this database",
        );
    }
    server.guest("Ada").await.publish("topic", "k", "x").await;
}

#[tokio::test]
async fn a_node_whose_database_was_removed_or_replaced_is_not_ready_and_acknowledges_nothing() {
    for replaced in [false, true] {
        let server = TestServer::start();
        let ada = server.guest("Ada").await;
        ada.publish("topic", "k", "x").await;
        assert_eq!(ada.get("/readyz").await.status, 200);
        let moved = server.data().join("moved.db");
        fs::rename(database(&server), &moved).unwrap();
        if replaced {
            fs::copy(&moved, database(&server)).unwrap();
        }
        let not_ready = ada.get("/readyz").await;
        assert_eq!(not_ready.status, 503);
        let reasons = serde_json::from_str::<Value>(not_ready.text()).unwrap()["reasons"].to_string();
        assert!(reasons.contains("the log cannot be read"), "{reasons}");
        assert_eq!(ada.try_publish("topic", "k2", "lost at the next start").await.status, 503);
        fs::rename(&moved, database(&server)).unwrap();
        eventually("the node is ready again", async || {
            (ada.get("/readyz").await.status == 200).then_some(())
        })
        .await;
        ada.publish("topic", "k2", "x").await;
    }
}

#[tokio::test]
async fn a_node_whose_lock_is_gone_is_not_ready() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    fs::remove_file(server.data().join("lock")).unwrap();
    let not_ready = ada.get("/readyz").await;
    assert_eq!(not_ready.status, 503);
    assert!(not_ready.text().contains("a lock of the node is gone"), "{}", not_ready.text());
}

#[tokio::test]
async fn the_healthcheck_command_reports_the_readiness_of_the_node() {
    let mut plain = TestServer::with(&["--drain-delay-secs", "600"]);
    let encrypted = TestServer::with(&["--tls", "self-signed"]);
    for (server, flags) in [(&plain, &[][..]), (&encrypted, &["--tls", "self-signed"])] {
        let listen = format!("--listen={}", server.address());
        let words = [&["healthcheck", listen.as_str()][..], flags].concat();
        // The subcommand comes after the settings.
        let words: Vec<&str> = words[1..].iter().chain(&words[..1]).copied().collect();
        assert_eq!(stdout_of(&run_command(|command| _ = command.args(&words)).await), "ready\n");
    }
    plain.terminate();
    let listen = format!("--listen={}", plain.address());
    let check = async || run_command(|command| _ = command.args([&listen, "healthcheck"])).await;
    let not_ready = eventually("the node is not ready", async || {
        Some(check().await).filter(|output| !output.status.success())
    });
    assert_refused(&not_ready.await, "not ready: 503");
    plain.kill();
    assert_refused(&check().await, "does not answer");
}

/// A node that is killed, or fails to start, leaves a database that opens again by itself, even if another program has
/// read it in between.
#[tokio::test]
async fn a_database_that_lost_nothing_is_never_refused() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "k", 3).await;
    for killed in [true, false] {
        if killed {
            server.kill();
        } else {
            stop(&mut server).await;
        }
        // These starts fail after the database was opened.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = listener.local_addr().unwrap().to_string();
        for _ in 0..3 {
            assert_refused(&run_on(&["--listen", &listen], server.data()).await, "the port is in use");
        }
        server.restart();
    }
    server.kill();
    // This program checkpoints the -wal when it closes the file.
    let file = format!("sqlite:{}", database(&server).display());
    let mut other_program = SqliteConnection::connect(&file).await.unwrap();
    sqlx::query("SELECT count(*) FROM events").fetch_one(&mut other_program).await.unwrap();
    other_program.close().await.unwrap();
    assert!(!with_suffix(&database(&server), "-wal").exists());
    server.restart();
    assert_eq!(ada.keys(&probe("topic")).await.len(), 3);
}

#[tokio::test]
async fn an_older_copy_of_the_database_next_to_a_newer_wal_is_refused() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publish_many("topic", "old-", 3).await;
    stop(&mut server).await;
    let copy = server.data().join("copy");
    fs::copy(database(&server), &copy).unwrap();
    server.restart();
    ada.publish_many("topic", "new-", 3).await;
    server.kill();
    fs::copy(&copy, database(&server)).unwrap();
    let wal = fs::read(with_suffix(&database(&server), "-wal")).unwrap();
    assert_refused(&start_on(server.data()).await, "move");
    assert_eq!(fs::read(with_suffix(&database(&server), "-wal")).unwrap(), wal);
    assert_eq!(fs::read(database(&server)).unwrap(), fs::read(&copy).unwrap());
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_behind_a_symbolic_link_is_locked_at_its_target() {
    let real = TempDir::new().unwrap();
    let data = TempDir::new().unwrap();
    std::os::unix::fs::symlink(real.path().join("log.db"), data.path().join("duplex.db")).unwrap();
    assert_refused(&start_on(data.path()).await, "leads nowhere");
    fs::File::create(real.path().join("log.db")).unwrap();
    let log = format!("sqlite:{}", data.path().join("duplex.db").display());
    let mut server = TestServer::with(&["--database", &log]);
    server.guest("Ada").await.publish("topic", "k", "x").await;
    server.kill();
    assert!(with_suffix(&real.path().join("log.db"), "-wal").exists());
    server.restart();
    server.guest("Ada").await.publish("topic", "k2", "x").await;
}

#[tokio::test]
async fn an_unusable_database_is_reported_in_one_line_with_its_file_and_user() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("folder")).unwrap();
    fs::write(path("text"), "no database").unwrap();
    std::os::unix::fs::symlink("/no/such/place", path("link")).unwrap();
    for (log, words) in [("folder", "it is a folder"), ("link", "leads nowhere"), ("text/x.db", "is a file")]
    {
        let flag = format!("--database=sqlite:{}", path(log).display());
        let refused = run_on(&["--listen", "127.0.0.1:0", &flag], &path("data")).await;
        assert_refused(&refused, words);
        assert_refused(&refused, log.split('/').next().unwrap());
    }
    fs::write(path("long"), "no database ".repeat(100)).unwrap();
    let foreign = format!("sqlite:{}?mode=rwc", path("foreign").display());
    let mut connection = SqliteConnection::connect(&foreign).await.unwrap();
    sqlx::query("CREATE TABLE theirs (x); PRAGMA user_version = 7").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let before = fs::read(path("foreign")).unwrap();
    for (file, words) in [("long", "is not a SQLite database"), ("foreign", "a database of another program")]
    {
        let flag = format!("--database=sqlite:{}", path(file).display());
        assert_refused(&run_on(&["--listen", "127.0.0.1:0", &flag], &path("data")).await, words);
        assert_refused(&run_on(&["verify", path(file).to_str().unwrap()], &path("data")).await, words);
    }
    let mut connection = SqliteConnection::connect(&foreign).await.unwrap();
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut connection).await.unwrap();
    assert_eq!((tables, before.is_empty()), (1, false), "the database of the other program is unchanged");
    for data in ["text", "link"] {
        let refused = start_on(&path(data)).await;
        assert_refused(&refused, "user ");
        assert_refused(&refused, data);
        assert_refused(&run_on(&["--check-config"], &path(data)).await, data);
    }
}
