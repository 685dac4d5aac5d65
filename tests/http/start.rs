//! Starting: a wrong setting is reported in one line that names it, and nothing is changed.

use std::net::TcpListener;

use shared::endpoint;
use tempfile::TempDir;

use crate::support::command::{assert_refused, in_folder, run_command};
use crate::support::{Program, TestServer};

#[tokio::test]
async fn the_product_itself_starts_and_answers() {
    let server = TestServer::of(Program::Product, &[]);
    assert_eq!(server.stranger().get(endpoint::ME).await.status, 204);
}

#[tokio::test]
async fn a_port_in_use_is_refused_in_one_line_that_names_listen() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let folder = TempDir::new().unwrap();
    let output =
        run_command(|command| _ = command.args(["--listen", &address, "--data"]).arg(folder.path())).await;
    assert_refused(&output, "--listen");
    assert_refused(&output, &address);
}

#[tokio::test]
async fn a_second_process_on_a_data_folder_is_refused_and_the_first_keeps_running() {
    let server = TestServer::start();
    let output =
        run_command(|command| _ = command.args(["--listen", "127.0.0.1:0", "--data"]).arg(server.data()))
            .await;
    assert_refused(&output, "--data");
    server.guest("Ada").await.publish("topic", "k", "x").await;
}

#[tokio::test]
async fn the_data_folder_is_free_again_after_kill_9() {
    let mut server = TestServer::start();
    server.kill();
    server.restart();
    server.guest("Ada").await;
}

#[tokio::test]
async fn an_invalid_value_is_refused_in_one_line_that_names_its_flag() {
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
        let output = run_command(|command| {
            command.arg(format!("{flag}={value}"));
            if flag != "--listen" {
                command.args(["--listen", "127.0.0.1:0"]);
            }
            command.arg("--data").arg(folder.path());
        })
        .await;
        assert_refused(&output, flag);
    }
}

#[tokio::test]
async fn an_unknown_flag_is_refused() {
    let folder = TempDir::new().unwrap();
    assert_refused(
        &run_command(|command| _ = in_folder(command, &folder).arg("--nonsense")).await,
        "--nonsense",
    );
}

#[tokio::test]
async fn a_data_folder_that_is_a_file_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output =
        run_command(|command| _ = command.args(["--listen", "127.0.0.1:0", "--data"]).arg(file.path())).await;
    assert_refused(&output, "--data");
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_refused() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("duplex.db"), "this is no database, only text. ".repeat(100)).unwrap();
    assert_refused(&run_command(|command| _ = in_folder(command, &folder)).await, "--database");
}

#[tokio::test]
async fn a_flag_overrides_the_environment() {
    let folder = TempDir::new().unwrap();
    let output = run_command(|command| _ = in_folder(command, &folder).env("DUPLEX_BUS", "pigeon:")).await;
    assert_refused(&output, "pigeon");
    let output = run_command(|command| {
        in_folder(command, &folder).env("DUPLEX_BUS", "pigeon:").args(["--bus", "raven:"]);
    })
    .await;
    assert_refused(&output, "raven");
}

#[tokio::test]
async fn the_old_name_of_a_renamed_setting_is_refused_with_a_hint() {
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
            let output = run_command(|command| _ = in_folder(command, &folder).args(&flags)).await;
            assert_refused(&output, &hint);
            assert_eq!(output.status.code(), Some(2));
        }
        let variable = |flag: &str| format!("DUPLEX_{}", flag.to_uppercase().replace('-', "_"));
        let hint = format!("{} is now {}", variable(old), variable(new));
        let output = run_command(|command| _ = in_folder(command, &folder).env(variable(old), "7")).await;
        assert_refused(&output, &hint);
        let output = run_command(|command| {
            _ = in_folder(command, &folder).env(variable(old), " ").arg("--check-config")
        })
        .await;
        assert!(output.status.success(), "an empty variable is not set: {output:?}");
    }
    let output = run_command(|command| _ = command.args(["backup", "x.db", "--log", "sqlite:y.db"])).await;
    assert_refused(&output, "--log is now --database; the filter of log lines is --log-filter");
}

#[tokio::test]
async fn help_lists_every_flag_with_its_variable_and_default() {
    let output = run_command(|command| _ = command.arg("--help")).await;
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
