//! Log lines: each names its request, session and user, and none contains a token.

use rcgen::PKCS_ECDSA_P256_SHA256;
use rustls::version::TLS13;
use serde_json::Value;
use shared::endpoint;

use crate::support::tls::{Certificate, connect, get, sign_in};
use crate::support::{TestServer, eventually, probe};

/// Waits for the line with this message whose span has this value in `field`.
async fn line(server: &TestServer, message: &str, field: &str, name: &str) -> Value {
    eventually("the line is written", async || {
        let stderr = server.stderr();
        let lines = stderr.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut matching = lines.filter(|line| line["message"] == message);
        matching.find(|line| line["span"][field] == name)
    })
    .await
}

#[tokio::test]
async fn a_line_names_its_request_and_its_user() {
    let server = TestServer::with(&["--log-format", "json", "--log-filter", "server=debug,realtime=debug"]);
    let ada = server.guest("Ada").await;
    let answer = ada.try_publish("topic", "k", "x").await;
    let request = answer.header("x-request-id");
    let line = line(&server, "answered", "request", request).await;
    assert_eq!(line["span"]["user"], *ada.identity.id.0, "{line}");
    assert_eq!((&line["status"], &line["route"]), (&201.into(), &"/api/probe/{name}/events".into()));
}

#[tokio::test]
async fn a_line_names_its_session_and_its_user() {
    let server = TestServer::with(&["--log-format", "json", "--log-filter", "server=debug,realtime=debug"]);
    let ada = server.guest("Ada").await;
    let mut socket = server.socket_before_welcome(&ada).await;
    let session = socket.receive_welcome().await.session;
    drop(socket);
    for message in ["a session opened", "a session ended"] {
        let line = line(&server, message, "session", &session).await;
        assert_eq!(line["span"]["user"], *ada.identity.id.0, "{line}");
    }
}

#[tokio::test]
async fn a_text_line_names_its_request_and_its_user_too() {
    let server = TestServer::with(&["--log-filter", "server=debug,realtime=debug"]);
    let ada = server.guest("Ada").await;
    let answer = ada.get(endpoint::ME).await;
    let request = answer.header("x-request-id");
    let user = &ada.identity.id.0;
    eventually("the line is written", async || {
        let stderr = server.stderr();
        let mut lines = stderr.lines().filter(|line| line.contains(&format!("request={request}")));
        lines.find(|line| line.contains(&format!("user={user}"))).map(drop)
    })
    .await;
}

/// The path of the last request: once it is logged, all earlier lines are written.
const LAST: &str = "/the-last-line";

/// Returns the value of a cookie.
fn token(cookie: &str) -> &str {
    cookie.split_once('=').unwrap().1
}

async fn assert_verbose_without(server: &TestServer, secret: &str) {
    eventually("everything is logged", async || server.stderr().contains(LAST).then_some(())).await;
    let stderr = server.stderr();
    assert!(stderr.contains("TRACE") && stderr.contains("/api/me"), "the log must be verbose");
    assert_eq!(secret.len(), 22);
    let leaks: Vec<&str> = stderr.lines().filter(|line| line.contains(secret)).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[tokio::test]
async fn no_line_contains_a_token_however_verbose_the_log() {
    let server = TestServer::with(&["--log-filter", "trace"]);
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let secret = token(ada.cookie.as_deref().unwrap()).to_owned();
    let mut socket = server.socket(&ada).await;
    socket.subscribe(&topic).await;
    socket.receive_head(&topic).await;
    ada.publish("topic", "k", "x").await;
    ada.get(endpoint::ME).await;
    let mut unreadable = ada.clone();
    unreadable.cookie = Some(format!("{}; ; =", ada.cookie.as_deref().unwrap()));
    unreadable.get("/api/topics/no topic/events").await;
    assert_eq!(ada.delete(endpoint::ME).await.status, 204);
    socket.receive_close().await;
    ada.get(LAST).await;
    assert_verbose_without(&server, &secret).await;
}

#[tokio::test]
async fn no_line_contains_a_token_under_tls_with_either_protocol() {
    let certificate = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let flags = certificate.flags();
    let mut flags: Vec<&str> = flags.each_ref().map(String::as_str).to_vec();
    flags.extend(["--log-filter", "trace"]);
    let server = TestServer::with(&flags);
    let stream = connect(server.address(), &certificate.cert(), &TLS13, "http/1.1").await.unwrap();
    let cookie = sign_in(stream).await;
    assert_eq!(me_over_http_2(&server, &certificate, &cookie).await, 200);
    let stream = connect(server.address(), &certificate.cert(), &TLS13, "http/1.1").await.unwrap();
    get(stream, LAST).await;
    assert_verbose_without(&server, token(&cookie)).await;
}

async fn me_over_http_2(server: &TestServer, certificate: &Certificate, cookie: &str) -> u16 {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let stream = connect(server.address(), &certificate.cert(), &TLS13, "h2").await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.unwrap();
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get(format!("https://localhost{}", endpoint::ME)).header("cookie", cookie);
    let request = request.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
    let status = sender.send_request(request).await.unwrap().status().as_u16();
    connection.abort();
    status
}
