//! Starting: what is set wrong is one line that names it, and nothing was touched.

use std::net::TcpListener;
use std::process::{Command, Output};

use shared::endpoint;
use tempfile::TempDir;

use crate::support::wait::try_eventually;
use crate::support::{Program, TestServer, server_command};

/// Runs a server that is expected to end by itself.
pub async fn start(configure: impl FnOnce(&mut Command)) -> Output {
    let mut command = server_command(Program::Probe);
    configure(&mut command);
    let mut child = command.spawn().expect("the program can be started");
    if try_eventually(async || child.try_wait().expect("the child is ours")).await.is_none() {
        child.kill().expect("the child is ours");
    }
    child.wait_with_output().expect("the child is ours")
}

/// Asserts that it ended by itself, with nothing on stdout and one line that names `word`.
#[track_caller]
pub fn refuses(output: &Output, word: &str) {
    let (said, line) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success() && output.status.code().is_some(), "{:?}: {line}", output.status);
    assert_eq!(said, "", "it is not listening");
    assert!(line.contains(word), "{line:?} says nothing of {word}");
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");
}

pub fn in_folder<'a>(command: &'a mut Command, folder: &TempDir) -> &'a mut Command {
    command.args(["--listen", "127.0.0.1:0", "--data"]).arg(folder.path())
}

#[tokio::test]
async fn the_product_itself_starts_and_answers() {
    let server = TestServer::of(Program::Product, &[]);
    assert_eq!(server.stranger().get(endpoint::ME).await.status, 204);
}

#[tokio::test]
async fn a_port_in_use_is_one_line_that_names_listen() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, folder) = (taken.local_addr().unwrap().to_string(), TempDir::new().unwrap());
    let output = start(|command| _ = command.args(["--listen", &address, "--data"]).arg(folder.path())).await;
    refuses(&output, "--listen");
    refuses(&output, &address);
}

#[tokio::test]
async fn a_second_process_on_a_data_folder_says_so_and_the_first_goes_on() {
    let server = TestServer::start();
    let output =
        start(|command| _ = command.args(["--listen", "127.0.0.1:0", "--data"]).arg(server.data())).await;
    refuses(&output, "--data");
    server.guest("Ada").await.publishes("topic", "k", "x").await;
}

#[tokio::test]
async fn the_folder_is_free_again_after_kill_9() {
    let mut server = TestServer::start();
    server.kill();
    server.restart();
    server.guest("Ada").await;
}

#[tokio::test]
async fn nonsense_is_refused_in_one_line_that_names_it() {
    for (flag, value) in [
        ("--listen", "nowhere"),
        ("--listen", "127.0.0.1:99999"),
        ("--database", "mysql:x"),
        ("--database", "nonsense"),
        ("--bus", "pigeon:"),
        ("--bus", "nonsense"),
        ("--allow-origin", "example.org"),
        ("--allow-origin", "https://example.org/path"),
        ("--client-files", "/no/such/folder"),
        ("--log-filter", "a=b=c=d"),
        ("--log-format", "xml"),
        ("--frame-bytes-max", "0"),
        ("--heartbeat-secs", "-1"),
        ("--mailbox-frames-max", "many"),
        ("--address-accounts-per-min", "99999999999"),
    ] {
        let folder = TempDir::new().unwrap();
        let output = start(|command| {
            command.arg(format!("{flag}={value}"));
            if flag != "--listen" {
                command.args(["--listen", "127.0.0.1:0"]);
            }
            command.arg("--data").arg(folder.path());
        })
        .await;
        refuses(&output, flag);
    }
}

#[tokio::test]
async fn an_unknown_flag_is_refused() {
    let folder = TempDir::new().unwrap();
    refuses(&start(|command| _ = in_folder(command, &folder).arg("--nonsense")).await, "--nonsense");
}

#[tokio::test]
async fn a_data_folder_that_is_a_file_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output =
        start(|command| _ = command.args(["--listen", "127.0.0.1:0", "--data"]).arg(file.path())).await;
    refuses(&output, "--data");
}

#[tokio::test]
async fn a_database_that_is_none_is_refused() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("duplex.db"), "this is no database, only text. ".repeat(100)).unwrap();
    refuses(&start(|command| _ = in_folder(command, &folder)).await, "--database");
}

#[tokio::test]
async fn the_environment_counts_and_a_flag_wins() {
    let folder = TempDir::new().unwrap();
    let output = start(|command| _ = in_folder(command, &folder).env("DUPLEX_BUS", "pigeon:")).await;
    refuses(&output, "pigeon");
    let output = start(|command| {
        in_folder(command, &folder).env("DUPLEX_BUS", "pigeon:").args(["--bus", "raven:"]);
    })
    .await;
    refuses(&output, "raven");
}

#[tokio::test]
async fn a_setting_with_a_new_name_is_refused_under_its_old_one_with_a_hint() {
    let folder = TempDir::new().unwrap();
    for (old, new) in [
        ("log", "database"),
        ("pages", "client-files"),
        ("outbox-frames-max", "mailbox-frames-max"),
        ("outbox-bytes-max", "mailbox-bytes-max"),
        ("address-guests-per-min", "address-accounts-per-min"),
    ] {
        let hint = format!("--{old} is now --{new}");
        let with_space = [format!("--{old}"), "7".into()];
        let with_sign = [format!("--{old}=7"), "--check-config".into()];
        for flags in [with_space, with_sign] {
            let output = start(|command| _ = in_folder(command, &folder).args(&flags)).await;
            refuses(&output, &hint);
            assert_eq!(output.status.code(), Some(2));
        }
        let variable = |flag: &str| format!("DUPLEX_{}", flag.to_uppercase().replace('-', "_"));
        let hint = format!("{} is now {}", variable(old), variable(new));
        let output = start(|command| _ = in_folder(command, &folder).env(variable(old), "7")).await;
        refuses(&output, &hint);
        let output =
            start(|command| _ = in_folder(command, &folder).env(variable(old), " ").arg("--check-config"))
                .await;
        assert!(output.status.success(), "an empty variable is not set: {output:?}");
    }
    let output = start(|command| _ = command.args(["backup", "x.db", "--log", "sqlite:y.db"])).await;
    refuses(&output, "--log is now --database");
}

#[tokio::test]
async fn help_tells_every_flag_with_its_variable_and_default() {
    let output = start(|command| _ = command.arg("--help")).await;
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for flag in [
        "listen",
        "data",
        "database",
        "bus",
        "allow-origin",
        "metrics-listen",
        "new-epoch",
        "client-files",
        "log-filter",
        "log-format",
        "frame-bytes-max",
        "payload-bytes-max",
        "signal-bytes-max",
        "body-bytes-max",
        "session-topics-max",
        "session-frames-per-sec",
        "session-signals-per-sec",
        "identity-publishes-per-sec",
        "address-accounts-per-min",
        "address-readers-max",
        "address-connections-max",
        "address-bytes-max",
        "node-bytes-max",
        "memory-max",
        "node-sockets-max",
        "mailbox-frames-max",
        "mailbox-bytes-max",
        "heartbeat-secs",
    ] {
        assert!(help.contains(&format!("--{flag}")), "--{flag} is missing:\n{help}");
        let variable = format!("DUPLEX_{}", flag.to_uppercase().replace('-', "_"));
        assert!(help.contains(&format!("env: {variable}")), "{variable} is missing:\n{help}");
    }
    for default in ["127.0.0.1:3000", "[default: data]", "16384", "65536", "[default: 25]"] {
        assert!(help.contains(default), "the default {default} is missing:\n{help}");
    }
}
