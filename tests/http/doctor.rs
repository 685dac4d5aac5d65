//! `duplex doctor` behind real proxies: twelve with different configuration mistakes, and four without.

use std::net::TcpListener;
use std::process::Output;

use futures_util::future::join_all;

use crate::support::command::{assert_refused, run_command};
use crate::support::proxy::{TestProxy, are_installed, configurations};
use crate::support::{Port, Program, TestServer, server_command};

/// The configurations with a mistake, each with words of the cause and the line that fixes it.
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

async fn examine(name: String) -> (String, String, Output) {
    // The doctor waits for it, which would otherwise take minutes.
    let keep_alive = if name == "haproxy-keep-alive.cfg" { "6" } else { "30" };
    let flags = ["--tls", "proxy", "--trusted-proxy", "127.0.0.1", "--keep-alive-secs", keep_alive];
    let server = TestServer::with(&flags);
    let proxy = TestProxy::before(&server, &name).await;
    let mut command = server_command(Program::Probe);
    command.args(["doctor", &proxy.url(), "--root"]).arg(proxy.root());
    let run = tokio::task::spawn_blocking(move || command.output().expect("the program can be started"));
    let output = run.await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    (name, stdout, output)
}

#[tokio::test]
async fn a_misconfigured_proxy_is_reported_with_the_line_to_change_and_a_good_one_raises_no_alarm() {
    if !are_installed() {
        return;
    }
    let mut good = 0;
    let mut unexpected = Vec::new();
    for (name, stdout, output) in join_all(configurations().into_iter().map(examine)).await {
        let findings =
            stdout.lines().filter(|line| line.starts_with("problem ") || line.starts_with("advice "));
        let found = findings.count();
        let succeeded = output.status.success();
        let as_expected = match WRONG.iter().find(|(wrong, ..)| *wrong == name) {
            Some((_, cause, line)) => stdout.contains(cause) && stdout.contains(line) && found == 1,
            None => {
                assert!(name.contains("good"), "{name} is neither good nor in the list of mistakes");
                good += 1;
                succeeded && found == 0 && stdout.ends_with("no problems found\n")
            }
        };
        if !as_expected {
            unexpected.push(format!("{name}:\n{stdout}{}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
    assert_eq!(good, 4);
}

#[tokio::test]
async fn a_node_without_a_proxy_is_examined_too() {
    let server = TestServer::start();
    let mut command = server_command(Program::Probe);
    command.args(["doctor", &server.url()]);
    let run = tokio::task::spawn_blocking(move || command.output().expect("the program can be started"));
    let output = run.await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.ends_with("no problems found\n"), "{output:?}");
}

#[tokio::test]
async fn an_address_that_is_not_a_node_is_reported_in_one_line() {
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
        let output = run_command(|command| _ = command.args(["doctor", &url])).await;
        let line = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && line.contains(words), "{url}: {output:?}");
        assert_eq!(line.trim_end().lines().count(), 1, "{line}");
        if words.starts_with("must") {
            assert_refused(&output, "<URL>");
            assert_eq!(output.status.code(), Some(2));
        }
    }
}
