//! `duplex doctor` behind real proxies: twelve that are set up wrong, each in its own way, and four that are not.

use std::net::TcpListener;
use std::process::Output;

use futures_util::future::join_all;

use crate::http::start::{refuses, start};
use crate::support::proxy::{TestProxy, are_installed, set_ups};
use crate::support::{Port, Program, TestServer, server_command};

/// Of each that is wrong, the words of its cause and the line that mends it.
const WRONG: [(&str, &str, &str); 12] = [
    ("caddy-buffered.Caddyfile", "waits for the end of each response", "remove `buffer_responses`"),
    ("caddy-origin.Caddyfile", "Origin: a browser sends", "remove `header_up Origin"),
    ("haproxy-compression.cfg", "compresses them", "compression type"),
    ("haproxy-host.cfg", "Host: a browser sends", "remove `http-request set-header Host"),
    ("haproxy-keep-alive.cfg", "keeps idle connections", "option http-server-close"),
    ("haproxy-tunnel-timeout.cfg", "closes idle sockets after", "timeout tunnel 1h"),
    ("nginx-gzip-streams.conf", "buffers them", "proxy_buffering off;"),
    ("nginx-host.conf", "drops the port", "proxy_set_header Host $http_host;"),
    ("nginx-http10.conf", "speaks HTTP/1.0", "proxy_http_version 1.1;"),
    (
        "nginx-no-forwarded-for.conf",
        "does not report the client's address",
        "proxy_set_header X-Forwarded-For",
    ),
    (
        "nginx-no-upgrade.conf",
        "does not forward the WebSocket upgrade",
        "proxy_set_header Upgrade $http_upgrade;",
    ),
    ("nginx-read-timeout.conf", "ends a waiting request after", "proxy_read_timeout 75s;"),
];

async fn examines(set_up: String) -> (String, String, Output) {
    // Shorter where it is looked at, as it would take minutes.
    let keep_alive = if set_up == "haproxy-keep-alive.cfg" { "6" } else { "30" };
    let flags = ["--tls", "proxy", "--trusted-proxy", "127.0.0.1", "--keep-alive-secs", keep_alive];
    let server = TestServer::with(&flags);
    let proxy = TestProxy::before(&server, &set_up).await;
    let mut command = server_command(Program::Probe);
    command.args(["doctor", &proxy.url(), "--root"]).arg(proxy.root());
    let run = tokio::task::spawn_blocking(move || command.output().expect("the program can be started"));
    let output = run.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (set_up, said, output)
}

#[tokio::test]
async fn what_is_set_up_wrong_is_named_with_the_line_to_change_and_what_is_not_raises_no_alarm() {
    if !are_installed() {
        return;
    }
    let (mut good, mut unlike) = (0, Vec::new());
    for (set_up, said, output) in join_all(set_ups().into_iter().map(examines)).await {
        let findings =
            said.lines().filter(|line| line.starts_with("problem ") || line.starts_with("advice "));
        let (found, is_well) = (findings.count(), output.status.success());
        let as_expected = match WRONG.iter().find(|(name, ..)| *name == set_up) {
            Some((_, cause, line)) => said.contains(cause) && said.contains(line) && found == 1,
            None => {
                assert!(set_up.contains("good"), "{set_up} is neither good nor known to be wrong");
                good += 1;
                is_well && found == 0 && said.ends_with("no problems found\n")
            }
        };
        if !as_expected {
            unlike.push(format!("{set_up}:\n{said}{}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
    assert_eq!(good, 4);
}

#[tokio::test]
async fn a_node_without_a_proxy_is_examined_too() {
    let server = TestServer::start();
    let mut command = server_command(Program::Probe);
    command.args(["doctor", &server.url()]);
    let run = tokio::task::spawn_blocking(move || command.output().expect("the program can be started"));
    let output = run.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.ends_with("no problems found\n"), "{output:?}");
}

#[tokio::test]
async fn what_is_no_node_or_does_not_answer_is_one_line() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in other.incoming() {
            use std::io::{Read, Write};
            let mut stream = stream.unwrap();
            _ = stream.read(&mut [0; 1_024]);
            _ = stream
                .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        }
    });
    let encrypted = TestServer::with(&["--tls", "self-signed"]);
    let foreign = format!("https://localhost:{}", encrypted.address().port());
    let plain = TestServer::start();
    let closed = Port::free();
    for (url, words) in [
        (format!("http://{address}"), "does not answer like a Duplex node: 404"),
        (foreign.clone(), "this machine does not trust the certificate's issuer"),
        (foreign.replace("https", "http"), "if the server expects TLS, use https://"),
        (plain.url().replace("http", "https"), "the port does not speak TLS"),
        (format!("http://{}", closed.address()), "cannot be reached"),
        ("http://no.such.host.invalid".into(), "cannot be reached"),
        ("app.example.org".into(), "must be http:// or https://"),
        ("https://ada@example.org".into(), "must be http:// or https://"),
        ("https://example.org/app".into(), "must be http:// or https://"),
    ] {
        let output = start(|command| _ = command.args(["doctor", &url])).await;
        let line = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && line.contains(words), "{url}: {output:?}");
        assert_eq!(line.trim_end().lines().count(), 1, "{line}");
        if words.starts_with("must") {
            refuses(&output, "<URL>");
            assert_eq!(output.status.code(), Some(2));
        }
    }
}
