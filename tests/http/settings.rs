//! `--check-config` and `--print-config`: would the node start with these settings, and which are they?

use std::process::{Command, Output};

use rcgen::PKCS_ECDSA_P256_SHA256;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::support::command::{assert_refused, in_folder, run_command};
use crate::support::tls::Certificate;
use crate::support::{Port, TestServer, raw_http};

async fn check_config(configure: impl FnOnce(&mut Command)) -> Output {
    run_command(|command| {
        command.arg("--check-config");
        configure(command);
    })
    .await
}

async fn print_config(configure: impl FnOnce(&mut Command)) -> String {
    let output = run_command(|command| {
        command.arg("--print-config");
        configure(command);
    })
    .await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn assert_ok(output: &Output) {
    assert!(output.status.success(), "{output:?}");
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"ok\n"[..], &b""[..]));
}

#[tokio::test]
async fn check_config_accepts_valid_settings_and_creates_nothing() {
    let folder = TempDir::new().unwrap();
    let certificate = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    assert_ok(&check_config(|command| _ = in_folder(command, &folder).args(certificate.flags())).await);
    assert_ok(&check_config(|command| _ = in_folder(command, &folder).args(["--tls", "self-signed"])).await);
    let missing = folder.path().join("made/at/the/start");
    assert_ok(&check_config(|command| _ = command.arg("--data").arg(&missing)).await);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn check_config_reports_a_misspelled_variable_and_treats_an_empty_one_as_unset() {
    let folder = TempDir::new().unwrap();
    let checked = check_config(|command| {
        in_folder(command, &folder)
            .env("DUPLEX_LISTNE", "0.0.0.0:1")
            .env("DUPLEX_TLS", "")
            .env("DUPLEX_BUS", " ");
    })
    .await;
    let line = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(
        checked.status.success() && line.contains("DUPLEX_LISTNE is set, but is not a setting"),
        "{checked:?}"
    );
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[tokio::test]
async fn check_config_works_next_to_a_running_node() {
    let server = TestServer::start();
    assert_ok(&check_config(|command| _ = command.arg("--data").arg(server.data())).await);
    server.guest("Ada").await;
}

#[tokio::test]
async fn check_config_reports_an_invalid_setting_in_one_line() {
    let one = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let other = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let cert = one.cert().display().to_string();
    let key = other.key().display().to_string();
    let no_database = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(no_database.path(), "this is no database, only text. ".repeat(100)).unwrap();
    let no_database = no_database.path().display().to_string();
    for (flags, word) in [
        (vec!["--tls-cert", &cert, "--tls-key", &key], key.as_str()),
        (vec!["--listen", "0.0.0.0:3000"], "--insecure-http"),
        (vec!["--listen", "nowhere"], "--listen"),
        (vec!["--tls", "self-signed", "--public-url", "http://app.example.org"], "--public-url"),
        (vec!["--public-url", "app.example.org"], "--public-url"),
        (vec!["--public-url", "https://ada@app.example.org"], "--public-url"),
        (vec!["--public-url", "https://app.example.org/path"], "--public-url"),
        (vec!["--database", "sqlite::memory:"], "--database"),
        (vec!["--database", "sqlite:"], "--database"),
        (vec!["--trusted-proxy", "::ffff:0.0.0.0/90"], "--trusted-proxy"),
        (vec!["--redirect-from", "127.0.0.1:0"], "--redirect-from"),
        (vec!["--data", &no_database], "--data"),
        (vec!["--data", "/proc/nothing"], "--data /proc/nothing"),
        (vec!["--database", "mysql:x"], "--database"),
        (vec!["--database", &format!("sqlite:{no_database}")], "--database"),
        (vec!["--database", "sqlite:/proc/nothing/x.db"], "--database: /proc/nothing/x.db"),
        (vec!["--bus", "pigeon:"], "--bus"),
        (vec!["--client-files", "/no/such/folder"], "--client-files"),
        (vec!["--log-filter", "a=b=c=d"], "--log-filter"),
    ] {
        assert_refused(&check_config(|command| _ = command.args(flags)).await, word);
    }
}

#[tokio::test]
async fn check_config_refuses_a_database_of_a_newer_program_as_the_start_does() {
    let mut server = TestServer::start();
    server.kill();
    let file = format!("sqlite:{}", server.data().join("duplex.db").display());
    let mut database = SqliteConnection::connect(&file).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'from the future', TRUE, x'00', 0)";
    sqlx::query(newer).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let on_it = |command: &mut Command| {
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(server.data());
    };
    let checked = check_config(on_it).await;
    let started = run_command(on_it).await;
    assert_refused(&checked, "9999");
    assert_eq!(checked.stderr, started.stderr);
}

#[cfg(feature = "otel")]
#[tokio::test]
async fn check_config_refuses_an_invalid_collector_as_the_start_does() {
    for endpoint in ["", "nonsense", "/path", "127.0.0.1:4318", "ftp://host", "http://ada:secret@[x"] {
        let folder = TempDir::new().unwrap();
        let to_it =
            |command: &mut Command| _ = in_folder(command, &folder).args(["--otlp-endpoint", endpoint]);
        let checked = check_config(to_it).await;
        let started = run_command(to_it).await;
        assert_refused(&checked, "--otlp-endpoint: must be http://");
        assert_eq!(checked.stderr, started.stderr);
        assert!(!String::from_utf8_lossy(&checked.stderr).contains("secret"));
    }
}

#[tokio::test]
async fn the_redirect_uses_the_configured_port() {
    let port = Port::free();
    let from = port.address().to_string();
    let redirect = ["--tls", "self-signed", "--redirect-from", &from, "--redirect-to-port", "443"];
    let server = TestServer::with(&redirect);
    let head = "GET /some/page HTTP/1.1\r\nHost: www.example.org:80\r\nConnection: close\r\n\r\n";
    let answer = raw_http::exchange(port.address(), head).await;
    assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
    assert!(answer.contains("location: https://www.example.org/some/page\r\n"), "{answer}");
    drop(server);
}

#[tokio::test]
async fn print_config_prints_the_effective_settings_and_they_can_be_read_back() {
    let printed = print_config(|command| {
        let origins = "https://a.example,https://b.example";
        command.env("DUPLEX_HEARTBEAT_SECS", "7").env("DUPLEX_DATA", "one").args(["--data", "two words"]);
        command.args(["--allow-origin", origins, "--insecure-http"]);
    })
    .await;
    for line in [
        "DUPLEX_LISTEN=127.0.0.1:3000",
        "DUPLEX_DATA=two words",
        "DUPLEX_HEARTBEAT_SECS=7",
        "DUPLEX_ALLOW_ORIGIN=https://a.example,https://b.example",
        "DUPLEX_INSECURE_HTTP=true",
        "DUPLEX_NEW_EPOCH=false",
        "# DUPLEX_TLS_CERT=",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line} is missing:\n{printed}");
    }
    let set =
        printed.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| !name.starts_with('#'));
    assert_eq!(print_config(|command| _ = command.envs(set)).await, printed);
}

#[tokio::test]
async fn a_boolean_variable_accepts_the_usual_words() {
    let refused = |value: &'static str| async move {
        let folder = TempDir::new().unwrap();
        let on_all = |command: &mut Command| {
            command.args(["--listen", "0.0.0.0:0", "--data"]).arg(folder.path());
            command.env("DUPLEX_INSECURE_HTTP", value);
        };
        !check_config(on_all).await.status.success()
    };
    for value in ["1", "true", "yes", "on"] {
        assert!(!refused(value).await, "{value}");
    }
    for value in ["0", "false", "no", "off"] {
        assert!(refused(value).await, "{value}");
    }
}

#[tokio::test]
async fn print_config_prints_no_password() {
    let printed = print_config(|command| {
        command.args([
            "--bus",
            "nats://ada:secret@bus.example:4222",
            "--database",
            "postgres://ada:se@cret@db/x",
        ]);
    })
    .await;
    assert!(printed.contains("DUPLEX_BUS=nats://***@bus.example:4222\n"), "{printed}");
    assert!(printed.contains("DUPLEX_DATABASE=postgres://***@db/x\n"), "{printed}");
    assert!(!printed.contains("cret"), "{printed}");
}

#[tokio::test]
async fn a_refusal_contains_no_password() {
    for (flag, url, word) in [
        ("--database", "postgres://ada:secret@db/x", "unknown scheme \"postgres\""),
        ("--bus", "nats://ada:secret@bus.example:4222", "unknown scheme \"nats\""),
    ] {
        let folder = TempDir::new().unwrap();
        let with_it = |command: &mut Command| _ = in_folder(command, &folder).args([flag, url]);
        for output in [check_config(with_it).await, run_command(with_it).await] {
            assert_refused(&output, word);
            assert!(!String::from_utf8_lossy(&output.stderr).contains("secret"), "{output:?}");
        }
    }
}

#[tokio::test]
async fn limits_into_which_no_request_fits_are_refused() {
    for (flags, words) in [
        (vec!["--memory-max", "1K"], "give 16M or more"),
        (vec!["--memory-max", "12MB"], "a number of bytes"),
        (vec!["--memory-max", "0"], "a number of bytes"),
        (vec!["--address-bytes-max", "98303"], "give 98304 or more"),
        (vec!["--address-bytes-max", "1M", "--body-bytes-max", "1048576"], "give 1081344 or more"),
        (vec!["--node-bytes-max", "1"], "give 393216 or more"),
        (vec!["--body-bytes-max", "1048576", "--memory-max", "16M"], "a larger --memory-max"),
    ] {
        let output = check_config(|command| _ = command.args(&flags)).await;
        assert_refused(&output, flags[0]);
        let line = String::from_utf8_lossy(&output.stderr);
        assert!(line.contains(words), "{flags:?}: {line}");
    }
    let fine = ["--memory-max", "64M", "--address-bytes-max", "96K", "--node-bytes-max", "384k"];
    let output = check_config(|command| _ = command.args(fine)).await;
    assert!(output.status.success(), "{output:?}");
}
