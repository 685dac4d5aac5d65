//! The process as its operator knows it: signals, files, and two nodes on one machine.

use std::process::Command;
use std::time::Duration;

use shared::endpoint;

use crate::support::TestServer;

fn signals(server: &TestServer, name: &str) {
    let sent = Command::new("sh").args(["-c", "kill -$1 $0", &server.pid().to_string(), name]).status();
    assert!(sent.unwrap().success(), "the process is gone already");
}

#[cfg(unix)]
#[tokio::test]
async fn a_terminal_that_is_closed_is_a_request_to_stop() {
    let mut server = TestServer::start();
    server.guest("Ada").await;
    signals(&server, "HUP");
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(server.log().contains("stopped"), "{}", server.log());
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_request_waits_for_nothing_more() {
    let mut server = TestServer::with(&["--drain-delay-secs", "600"]);
    server.terminate();
    server.says("stopping").await;
    server.terminate();
    let ended = tokio::time::timeout(Duration::from_secs(20), server.ended()).await;
    assert_eq!(ended.expect("it does not wait for the delay").code(), Some(1));
}

#[cfg(unix)]
#[tokio::test]
async fn what_it_writes_is_for_nobody_else_to_read() {
    use std::os::unix::fs::MetadataExt;
    let server = TestServer::in_folder("made");
    let data = server.data().to_owned();
    server.guest("Ada").await;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let mut seen = 0;
    let mut folders = vec![data.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            seen += 1;
            match entry.is_dir() {
                true => folders.push(entry.clone()),
                false => assert_eq!(mode(&entry) & 0o077, 0, "{}", entry.display()),
            }
        }
    }
    assert!(seen >= 4, "{seen}: the database, its -wal, and the locks");
}

#[tokio::test]
async fn two_nodes_on_one_machine_sign_nobody_out_of_each_other() {
    let (one, other) = (TestServer::start(), TestServer::start());
    let (ada, at_the_other) = (one.guest("Ada").await, other.guest("Ada").await);
    let both = format!("{}; {}", ada.cookie.clone().unwrap(), at_the_other.cookie.clone().unwrap());
    for mut person in [ada, at_the_other] {
        // A browser has one set of cookies for all ports of a host.
        person.cookie = Some(both.clone());
        let told: shared::Identity = person.get(endpoint::ME).await.json();
        assert_eq!(told.id, person.identity.id);
    }
}

#[tokio::test]
async fn a_variable_that_is_none_of_ours_is_told_and_an_empty_one_is_not_set() {
    let server = TestServer::with_variables(&[
        ("DUPLEX_LISTNE", "0.0.0.0:1"),
        ("DUPLEX_TLS", ""),
        ("DUPLEX_DATABASE", " "),
    ]);
    server.guest("Ada").await;
    server.says("DUPLEX_LISTNE is set, but is not a setting").await;
}
