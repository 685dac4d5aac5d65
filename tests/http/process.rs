//! The process as its operator sees it: signals, files, and two nodes on one machine.

use std::process::Command;
use std::time::Duration;

use shared::endpoint;

use crate::support::TestServer;

fn send_signal(server: &TestServer, name: &str) {
    let sent = Command::new("sh").args(["-c", "kill -$1 $0", &server.pid().to_string(), name]).status();
    assert!(sent.unwrap().success(), "the process is already gone");
}

#[cfg(unix)]
#[tokio::test]
async fn closing_the_terminal_stops_the_node() {
    let mut server = TestServer::start();
    server.guest("Ada").await;
    send_signal(&server, "HUP");
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(server.stderr().contains("stopped"), "{}", server.stderr());
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_signal_stops_the_node_without_waiting() {
    let mut server = TestServer::with(&["--drain-delay-secs", "600"]);
    server.terminate();
    server.wait_for_stderr("stopping").await;
    server.terminate();
    let ended = tokio::time::timeout(Duration::from_secs(20), server.ended()).await;
    assert_eq!(ended.expect("it does not wait for the drain delay").code(), Some(1));
}

#[cfg(unix)]
#[tokio::test]
async fn other_users_cannot_read_the_data_folder() {
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
    assert!(seen >= 4, "{seen} files: expected the database, its -wal and the locks");
}

#[tokio::test]
async fn two_nodes_on_one_machine_do_not_overwrite_each_others_cookies() {
    let one = TestServer::start();
    let other = TestServer::start();
    let ada = one.guest("Ada").await;
    let other_ada = other.guest("Ada").await;
    let both = format!("{}; {}", ada.cookie.clone().unwrap(), other_ada.cookie.clone().unwrap());
    for mut person in [ada, other_ada] {
        // A browser sends the same cookies to all ports of a host.
        person.cookie = Some(both.clone());
        let identity: shared::Identity = person.get(endpoint::ME).await.json();
        assert_eq!(identity.id, person.identity.id);
    }
}

#[tokio::test]
async fn an_unknown_variable_is_reported_and_an_empty_one_counts_as_unset() {
    let server =
        TestServer::with_env(&[("DUPLEX_LISTNE", "0.0.0.0:1"), ("DUPLEX_TLS", ""), ("DUPLEX_DATABASE", " ")]);
    server.guest("Ada").await;
    server.wait_for_stderr("DUPLEX_LISTNE is set, but is not a setting").await;
}
