//! The file that the log is in: what happens to it between two starts, and under a running node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use shared::Part;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::http::start::{refuses, start};
use crate::support::{TestServer, eventually, probe};

/// Runs a command of the program on a data folder.
async fn run(words: &[&str], data: &Path) -> Output {
    start(|command| _ = command.args(words).arg("--data").arg(data)).await
}

#[track_caller]
fn said(output: &Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn database(server: &TestServer) -> PathBuf {
    server.data().join("duplex.db")
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", file.display()))
}

async fn stops(server: &mut TestServer) {
    server.terminate();
    server.ended().await;
}

async fn starts_on(data: &Path) -> Output {
    run(&["--listen", "127.0.0.1:0"], data).await
}

#[tokio::test]
async fn a_start_says_what_it_found() {
    let mut server = TestServer::start();
    server.says("made a new log").await;
    server.guest("Ada").await.publishes_many("topic", "k", 3).await;
    stops(&mut server).await;
    server.restart();
    server.says("opened the log: 3 events in 1 topic, the newest of 20").await;
}

#[tokio::test]
async fn a_file_copied_without_its_wal_is_no_log_to_start_with() {
    let server = TestServer::start();
    server.guest("Ada").await.publishes_many("topic", "k", 3).await;
    let copied = TempDir::new().unwrap();
    fs::copy(database(&server), copied.path().join("duplex.db")).unwrap();
    // A supervisor tries again and again, and somebody looks at it in between.
    for _ in 0..3 {
        let refused = starts_on(copied.path()).await;
        refuses(&refused, "duplex.db-wal");
        refuses(&refused, "--new-epoch");
        refuses(&run(&["--check-config"], copied.path()).await, "duplex.db-wal");
        let copy = copied.path().join("duplex.db");
        refuses(&run(&["verify", copy.to_str().unwrap()], copied.path()).await, "duplex.db-wal");
        refuses(&run(&["backup", "/tmp/never.db"], copied.path()).await, "duplex.db-wal");
    }

    // With it, nothing is missing.
    fs::copy(beside(&database(&server), "-wal"), copied.path().join("duplex.db-wal")).unwrap();
    let told =
        said(&run(&["verify", copied.path().join("duplex.db").to_str().unwrap()], copied.path()).await);
    assert!(told.contains("3 events in 1 topic"), "{told}");
}

#[tokio::test]
async fn a_lost_wal_is_told_until_somebody_says_to_go_on() {
    let mut server = TestServer::start();
    server.guest("Ada").await.publishes("topic", "k", "x").await;
    server.kill();
    fs::remove_file(beside(&database(&server), "-wal")).unwrap();
    refuses(&starts_on(server.data()).await, "duplex.db-wal");
    server.restart_with(&["--new-epoch"]);
    server.guest("Ada").await.publishes("topic", "k", "x").await;
}

#[tokio::test]
async fn a_database_put_over_anothers_wal_is_refused_before_it_is_destroyed() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publishes_many("topic", "kept-", 3).await;
    let copy = server.data().join("copy.db");
    said(&run(&["backup", copy.to_str().unwrap()], server.data()).await);
    ada.publishes_many("topic", "gone-", 3).await;
    server.kill();
    fs::copy(&copy, database(&server)).unwrap();
    let before = fs::read(database(&server)).unwrap();
    refuses(&starts_on(server.data()).await, "restore");
    assert_eq!(fs::read(database(&server)).unwrap(), before);
}

#[tokio::test]
async fn a_restore_puts_a_backup_in_place_also_after_kill_9_and_keeps_what_was_there() {
    let (mut server, topic) = (TestServer::start(), probe("topic"));
    let ada = server.guest("Ada").await;
    ada.publishes_many("topic", "kept-", 3).await;
    let copy = server.data().join("copy.db");
    said(&run(&["backup", copy.to_str().unwrap()], server.data()).await);
    let before = ada.pull(&topic, Part::Newest).await;
    ada.publishes_many("topic", "gone-", 2).await;
    refuses(&run(&["restore", copy.to_str().unwrap()], server.data()).await, "another process");
    server.kill();

    let told = said(&run(&["restore", copy.to_str().unwrap()], server.data()).await);
    assert!(told.contains("duplex.db: 3 events in 1 topic"), "{told}");
    let kept = told.lines().nth(1).and_then(|line| line.split(" is ").nth(1)).unwrap();
    let kept = kept.split(';').next().unwrap();
    let old = said(&run(&["verify", kept], server.data()).await);
    assert!(old.contains("5 events in 1 topic"), "nothing of it is lost: {old}");
    assert!(!server.data().join("duplex.db.restoring").exists());

    server.restart();
    let page = ada.pull(&topic, Part::Newest).await;
    assert_eq!(page.head.0, 3);
    assert_ne!(page.epoch, before.epoch, "readers start over");
    ada.publishes("topic", "new", "x").await;
}

#[tokio::test]
async fn a_restore_into_an_empty_folder_makes_a_log() {
    let server = TestServer::start();
    server.guest("Ada").await.publishes("topic", "k", "x").await;
    let (copy, empty) = (server.data().join("copy.db"), TempDir::new().unwrap());
    said(&run(&["backup", copy.to_str().unwrap()], server.data()).await);
    let told = said(&run(&["restore", copy.to_str().unwrap()], empty.path()).await);
    assert_eq!(told.lines().count(), 1, "{told}");
    let held = said(&run(&["verify", empty.path().join("duplex.db").to_str().unwrap()], empty.path()).await);
    assert!(held.contains("1 event in 1 topic") && held.ends_with("; ok\n"), "{held}");
}

#[tokio::test]
async fn what_is_no_whole_backup_is_refused_and_changes_nothing() {
    let mut server = TestServer::with(&["--identity-publishes-per-sec", "1000"]);
    let ada = server.guest("Ada").await;
    ada.publishes_many("topic", "k", 200).await;
    let copy = server.data().join("copy.db");
    said(&run(&["backup", copy.to_str().unwrap()], server.data()).await);
    stops(&mut server).await;
    let whole = fs::read(&copy).unwrap();
    let before = fs::read(database(&server)).unwrap();
    let mut torn = whole.clone();
    let middle = torn.len() / 2;
    torn[middle..middle + 4_096].fill(0xff);
    for (name, bytes) in [
        ("text.db", b"no database".to_vec()),
        ("half.db", whole[..whole.len() / 2].to_vec()),
        ("torn.db", torn),
    ] {
        let file = server.data().join(name);
        fs::write(&file, bytes).unwrap();
        for command in ["verify", "restore"] {
            let refused = run(&[command, file.to_str().unwrap()], server.data()).await;
            assert_eq!(refused.status.code(), Some(1), "{command} {name}");
            refuses(&refused, name);
        }
    }
    refuses(&run(&["restore", "/no/such/file.db"], server.data()).await, "the file cannot be read");
    assert_eq!(fs::read(database(&server)).unwrap(), before);
    let left: Vec<_> = fs::read_dir(server.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("before-")), "{left:?}");
}

#[tokio::test]
async fn a_backup_that_was_killed_blocks_its_name_for_nobody() {
    let server = TestServer::start();
    server.guest("Ada").await.publishes("topic", "k", "x").await;
    let copy = server.data().join("copy.db");
    fs::write(beside(&copy, ".unfinished"), "the beginning of one that was killed").unwrap();
    let told = said(&run(&["backup", copy.to_str().unwrap()], server.data()).await);
    assert!(told.contains("1 event in 1 topic"), "{told}");
    assert!(!beside(&copy, ".unfinished").exists());
}

#[tokio::test]
async fn a_path_is_a_path_whatever_characters_it_has() {
    for name in ["a%20b", "a b", "what?", "a#b", "file:x", "it's", "ä"] {
        let mut server = TestServer::in_folder(name);
        let data = server.data().to_owned();
        assert_eq!(said(&run(&["--check-config"], &data).await), "ok\n", "{name}");
        server.guest("Ada").await.publishes("topic", "k", "x").await;
        assert!(data.join("duplex.db").is_file(), "{name}");
        let copy = data.join("file:copy?.db");
        said(&run(&["backup", copy.to_str().unwrap()], &data).await);
        stops(&mut server).await;
        said(&run(&["verify", copy.to_str().unwrap()], &data).await);
        let made = fs::read_dir(data.parent().unwrap()).unwrap().count();
        assert_eq!(made, 1, "there is nothing beside {name}");
    }
}

#[tokio::test]
async fn two_data_folders_on_one_database_are_two_nodes_too_many() {
    let server = TestServer::start();
    let other = TempDir::new().unwrap();
    let link = other.path().join("link.db");
    std::os::unix::fs::symlink(database(&server), &link).unwrap();
    for file in [database(&server), link] {
        let log = format!("--database=sqlite:{}", file.display());
        refuses(
            &run(&["--listen", "127.0.0.1:0", &log], other.path()).await,
            "another process uses this database",
        );
    }
    server.guest("Ada").await.publishes("topic", "k", "x").await;
}

#[tokio::test]
async fn a_database_that_was_removed_or_replaced_makes_the_node_red_and_acknowledges_nothing() {
    for replaced in [false, true] {
        let server = TestServer::start();
        let ada = server.guest("Ada").await;
        ada.publishes("topic", "k", "x").await;
        assert_eq!(ada.get("/readyz").await.status, 200);
        let moved = server.data().join("moved.db");
        fs::rename(database(&server), &moved).unwrap();
        if replaced {
            fs::copy(&moved, database(&server)).unwrap();
        }
        let red = ada.get("/readyz").await;
        assert_eq!(red.status, 503);
        let reasons = serde_json::from_str::<Value>(red.text()).unwrap()["reasons"].to_string();
        assert!(reasons.contains("the log cannot be read"), "{reasons}");
        assert_eq!(ada.publish("topic", "k2", "lost at the next start").await.status, 503);
        fs::rename(&moved, database(&server)).unwrap();
        eventually("it is ready again", async || (ada.get("/readyz").await.status == 200).then_some(()))
            .await;
        ada.publishes("topic", "k2", "x").await;
    }
}

#[tokio::test]
async fn a_node_whose_lock_is_gone_is_not_ready() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    fs::remove_file(server.data().join("lock")).unwrap();
    let red = ada.get("/readyz").await;
    assert_eq!(red.status, 503);
    assert!(red.text().contains("a lock of the node is gone"), "{}", red.text());
}

#[tokio::test]
async fn a_health_check_says_what_a_node_says_of_itself() {
    let mut plain = TestServer::with(&["--drain-delay-secs", "600"]);
    let encrypted = TestServer::with(&["--tls", "self-signed"]);
    for (server, flags) in [(&plain, &[][..]), (&encrypted, &["--tls", "self-signed"])] {
        let listen = format!("--listen={}", server.address());
        let words = [&["healthcheck", listen.as_str()][..], flags].concat();
        // A subcommand comes after the settings of the program.
        let words: Vec<&str> = words[1..].iter().chain(&words[..1]).copied().collect();
        assert_eq!(said(&start(|command| _ = command.args(&words)).await), "ready\n");
    }
    plain.terminate();
    let listen = format!("--listen={}", plain.address());
    let asks = async || start(|command| _ = command.args([&listen, "healthcheck"])).await;
    let red =
        eventually("it is not ready", async || Some(asks().await).filter(|asked| !asked.status.success()));
    refuses(&red.await, "not ready: 503");
    plain.kill();
    refuses(&asks().await, "does not answer");
}

/// A node that is killed, or fails to start, leaves a database that opens again by itself, whoever read it meanwhile.
#[tokio::test]
async fn a_database_that_lost_nothing_is_never_refused() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publishes_many("topic", "k", 3).await;
    for killed in [true, false] {
        if killed {
            server.kill();
        } else {
            stops(&mut server).await;
        }
        // A start that fails after the database was opened.
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = taken.local_addr().unwrap().to_string();
        for _ in 0..3 {
            refuses(&run(&["--listen", &listen], server.data()).await, "the port is in use");
        }
        server.restart();
    }
    server.kill();
    // Another program, which folds the -wal in when it closes the file.
    let file = format!("sqlite:{}", database(&server).display());
    let mut other = SqliteConnection::connect(&file).await.unwrap();
    sqlx::query("SELECT count(*) FROM events").fetch_one(&mut other).await.unwrap();
    other.close().await.unwrap();
    assert!(!beside(&database(&server), "-wal").exists());
    server.restart();
    assert_eq!(ada.keys(&probe("topic")).await.len(), 3);
}

#[tokio::test]
async fn an_older_copy_of_the_same_database_is_not_put_over_the_wal_of_its_later_life() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publishes_many("topic", "old-", 3).await;
    stops(&mut server).await;
    let copy = server.data().join("copy");
    fs::copy(database(&server), &copy).unwrap();
    server.restart();
    ada.publishes_many("topic", "new-", 3).await;
    server.kill();
    fs::copy(&copy, database(&server)).unwrap();
    let wal = fs::read(beside(&database(&server), "-wal")).unwrap();
    refuses(&starts_on(server.data()).await, "move");
    assert_eq!(fs::read(beside(&database(&server), "-wal")).unwrap(), wal);
    assert_eq!(fs::read(database(&server)).unwrap(), fs::read(&copy).unwrap());
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_behind_a_link_is_guarded_where_it_is() {
    let (real, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    std::os::unix::fs::symlink(real.path().join("log.db"), data.path().join("duplex.db")).unwrap();
    refuses(&starts_on(data.path()).await, "leads nowhere");
    fs::File::create(real.path().join("log.db")).unwrap();
    let log = format!("sqlite:{}", data.path().join("duplex.db").display());
    let mut server = TestServer::with(&["--database", &log]);
    server.guest("Ada").await.publishes("topic", "k", "x").await;
    server.kill();
    assert!(beside(&real.path().join("log.db"), "-wal").exists());
    server.restart();
    server.guest("Ada").await.publishes("topic", "k2", "x").await;
}

#[tokio::test]
async fn two_restores_in_a_second_keep_two_databases_and_one_that_fails_leaves_nothing() {
    let mut server = TestServer::start();
    server.guest("Ada").await.publishes("topic", "k", "x").await;
    let copy = server.data().join("copy.db");
    said(&run(&["backup", copy.to_str().unwrap()], server.data()).await);
    stops(&mut server).await;
    for _ in 0..3 {
        said(&run(&["restore", copy.to_str().unwrap()], server.data()).await);
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
    refuses(&run(&["restore", own.to_str().unwrap()], server.data()).await, "duplex.db.restoring");
    assert_eq!(fs::read(&own).unwrap(), fs::read(&copy).unwrap());
}

#[tokio::test]
async fn what_cannot_be_used_is_one_line_with_file_user_and_remedy() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("folder")).unwrap();
    fs::write(path("text"), "no database").unwrap();
    std::os::unix::fs::symlink("/no/such/place", path("link")).unwrap();
    for (log, words) in [("folder", "it is a folder"), ("link", "leads nowhere"), ("text/x.db", "is a file")]
    {
        let flag = format!("--database=sqlite:{}", path(log).display());
        let refused = run(&["--listen", "127.0.0.1:0", &flag], &path("data")).await;
        refuses(&refused, words);
        refuses(&refused, log.split('/').next().unwrap());
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
        refuses(&run(&["--listen", "127.0.0.1:0", &flag], &path("data")).await, words);
        refuses(&run(&["verify", path(file).to_str().unwrap()], &path("data")).await, words);
    }
    let mut connection = SqliteConnection::connect(&foreign).await.unwrap();
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut connection).await.unwrap();
    assert_eq!((tables, before.is_empty()), (1, false), "nothing was added to it");
    for data in ["text", "link"] {
        let refused = starts_on(&path(data)).await;
        refuses(&refused, "user ");
        refuses(&refused, data);
        refuses(&run(&["--check-config"], &path(data)).await, data);
    }
}
