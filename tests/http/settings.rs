//! What is asked before a node is started or changed: would it start like this, and with which settings?

use std::process::{Command, Output};

use rcgen::PKCS_ECDSA_P256_SHA256;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::start::{in_folder, refuses, start};
use crate::support::tls::Certificate;
use crate::support::{Port, TestServer, in_time};

async fn checks(configure: impl FnOnce(&mut Command)) -> Output {
    start(|command| {
        command.arg("--check-config");
        configure(command);
    })
    .await
}

async fn prints(configure: impl FnOnce(&mut Command)) -> String {
    let output = start(|command| {
        command.arg("--print-config");
        configure(command);
    })
    .await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn is_ok(output: &Output) {
    assert!(output.status.success(), "{output:?}");
    assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"ok\n"[..], &b""[..]));
}

#[tokio::test]
async fn what_could_start_is_ok_and_leaves_nothing_behind() {
    let (folder, certificate) = (TempDir::new().unwrap(), Certificate::of(&PKCS_ECDSA_P256_SHA256));
    is_ok(&checks(|command| _ = in_folder(command, &folder).args(certificate.flags())).await);
    is_ok(&checks(|command| _ = in_folder(command, &folder).args(["--tls", "self-signed"])).await);
    let missing = folder.path().join("made/at/the/start");
    is_ok(&checks(|command| _ = command.arg("--data").arg(&missing)).await);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_slip_of_the_pen_is_told_and_what_is_empty_is_not_set() {
    let folder = TempDir::new().unwrap();
    let checked = checks(|command| {
        in_folder(command, &folder)
            .env("DUPLEX_LISTNE", "0.0.0.0:1")
            .env("DUPLEX_TLS", "")
            .env("DUPLEX_BUS", " ");
    })
    .await;
    let told = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(
        checked.status.success() && told.contains("DUPLEX_LISTNE is set, but is not a setting"),
        "{checked:?}"
    );
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[tokio::test]
async fn a_running_node_is_checked_beside_it() {
    let server = TestServer::start();
    is_ok(&checks(|command| _ = command.arg("--data").arg(server.data())).await);
    server.guest("Ada").await;
}

#[tokio::test]
async fn what_could_not_start_is_one_line_that_names_it() {
    let (one, other) = (Certificate::of(&PKCS_ECDSA_P256_SHA256), Certificate::of(&PKCS_ECDSA_P256_SHA256));
    let (cert, key) = (one.cert().display().to_string(), other.key().display().to_string());
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
        refuses(&checks(|command| _ = command.args(flags)).await, word);
    }
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused_before_the_start_as_by_it() {
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
    let (checked, started) = (checks(on_it).await, start(on_it).await);
    refuses(&checked, "9999");
    assert_eq!(checked.stderr, started.stderr);
}

#[cfg(feature = "otel")]
#[tokio::test]
async fn an_address_that_no_collector_can_have_is_refused_before_the_start_as_by_it() {
    for endpoint in ["", "nonsense", "/path", "127.0.0.1:4318", "ftp://host", "http://ada:secret@[x"] {
        let folder = TempDir::new().unwrap();
        let to_it =
            |command: &mut Command| _ = in_folder(command, &folder).args(["--otlp-endpoint", endpoint]);
        let (checked, started) = (checks(to_it).await, start(to_it).await);
        refuses(&checked, "--otlp-endpoint: must be http://");
        assert_eq!(checked.stderr, started.stderr);
        assert!(!String::from_utf8_lossy(&checked.stderr).contains("secret"));
    }
}

#[tokio::test]
async fn browsers_are_sent_to_the_port_that_is_told() {
    let port = Port::free();
    let from = port.address().to_string();
    let redirect = ["--tls", "self-signed", "--redirect-from", &from, "--redirect-to-port", "443"];
    let server = TestServer::with(&redirect);
    let mut connection = TcpStream::connect(port.address()).await.unwrap();
    let head = "GET /some/page HTTP/1.1\r\nHost: www.example.org:80\r\nConnection: close\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    in_time("the server closes", connection.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
    assert!(answer.contains("location: https://www.example.org/some/page\r\n"), "{answer}");
    drop(server);
}

#[tokio::test]
async fn settings_are_printed_as_they_count_and_can_be_read_back() {
    let printed = prints(|command| {
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
    assert_eq!(prints(|command| _ = command.envs(set)).await, printed);
}

#[tokio::test]
async fn a_variable_says_yes_in_the_usual_words() {
    let refused = |said: &'static str| async move {
        let folder = TempDir::new().unwrap();
        let on_all = |command: &mut Command| {
            command.args(["--listen", "0.0.0.0:0", "--data"]).arg(folder.path());
            command.env("DUPLEX_INSECURE_HTTP", said);
        };
        !checks(on_all).await.status.success()
    };
    for said in ["1", "true", "yes", "on"] {
        assert!(!refused(said).await, "{said}");
    }
    for said in ["0", "false", "no", "off"] {
        assert!(refused(said).await, "{said}");
    }
}

#[tokio::test]
async fn no_password_is_printed() {
    let printed = prints(|command| {
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
async fn no_password_is_in_a_refusal() {
    for (flag, url, word) in [
        ("--database", "postgres://ada:secret@db/x", "unknown scheme \"postgres\""),
        ("--bus", "nats://ada:secret@bus.example:4222", "unknown scheme \"nats\""),
    ] {
        let folder = TempDir::new().unwrap();
        let with_it = |command: &mut Command| _ = in_folder(command, &folder).args([flag, url]);
        for output in [checks(with_it).await, start(with_it).await] {
            refuses(&output, word);
            assert!(!String::from_utf8_lossy(&output.stderr).contains("secret"), "{output:?}");
        }
    }
}

#[tokio::test]
async fn limits_that_no_request_fits_in_are_refused() {
    for (flags, words) in [
        (vec!["--memory-max", "1K"], "give 16M or more"),
        (vec!["--memory-max", "12MB"], "a number of bytes"),
        (vec!["--memory-max", "0"], "a number of bytes"),
        (vec!["--address-bytes-max", "98303"], "give 98304 or more"),
        (vec!["--address-bytes-max", "1M", "--body-bytes-max", "1048576"], "give 1081344 or more"),
        (vec!["--node-bytes-max", "1"], "give 393216 or more"),
        (vec!["--body-bytes-max", "1048576", "--memory-max", "16M"], "a larger --memory-max"),
    ] {
        let output = checks(|command| _ = command.args(&flags)).await;
        refuses(&output, flags[0]);
        let line = String::from_utf8_lossy(&output.stderr);
        assert!(line.contains(words), "{flags:?}: {line}");
    }
    let fine = ["--memory-max", "64M", "--address-bytes-max", "96K", "--node-bytes-max", "384k"];
    let output = checks(|command| _ = command.args(fine)).await;
    assert!(output.status.success(), "{output:?}");
}
