//! What the node logs: whom each line is about, and never what a cookie is worth.

use rcgen::PKCS_ECDSA_P256_SHA256;
use rustls::version::TLS13;
use serde_json::Value;
use shared::endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::tls::{Certificate, connect, get};
use crate::support::{TestServer, eventually, probe};

/// The line that says `message` of what `field` names, once it is there.
async fn line(server: &TestServer, message: &str, field: &str, name: &str) -> Value {
    eventually("the line is there", async || {
        let log = server.log();
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut said = lines.filter(|line| line["message"] == message);
        said.find(|line| line["span"][field] == name)
    })
    .await
}

#[tokio::test]
async fn a_line_names_the_request_and_the_person_that_it_belongs_to() {
    let server = TestServer::with(&["--log-format", "json", "--log-filter", "server=debug,realtime=debug"]);
    let ada = server.guest("Ada").await;
    let answer = ada.publish("topic", "k", "x").await;
    let request = answer.header("x-request-id");
    let line = line(&server, "answered", "request", request).await;
    assert_eq!(line["span"]["user"], *ada.identity.id.0, "{line}");
    assert_eq!((&line["status"], &line["route"]), (&201.into(), &"/api/probe/{name}/events".into()));
}

#[tokio::test]
async fn a_line_names_the_session_that_it_belongs_to() {
    let server = TestServer::with(&["--log-format", "json", "--log-filter", "server=debug,realtime=debug"]);
    let ada = server.guest("Ada").await;
    let mut socket = server.unheard_socket(&ada).await;
    let session = socket.hears_welcome().await.session;
    drop(socket);
    for message in ["a session opened", "a session ended"] {
        let line = line(&server, message, "session", &session).await;
        assert_eq!(line["span"]["user"], *ada.identity.id.0, "{line}");
    }
}

#[tokio::test]
async fn text_lines_name_them_too() {
    let server = TestServer::with(&["--log-filter", "server=debug,realtime=debug"]);
    let ada = server.guest("Ada").await;
    let answer = ada.get(endpoint::ME).await;
    let (request, user) = (answer.header("x-request-id"), &ada.identity.id.0);
    eventually("the line is there", async || {
        let log = server.log();
        let mut lines = log.lines().filter(|line| line.contains(&format!("request={request}")));
        lines.find(|line| line.contains(&format!("user={user}"))).map(drop)
    })
    .await;
}

/// Asked for at last: with its line, all those before are there.
const LAST: &str = "/the-last-line";

/// The cookie's value, by whatever name.
fn token(cookie: &str) -> &str {
    cookie.split_once('=').unwrap().1
}

async fn tells_much_and_not(server: &TestServer, secret: &str) {
    eventually("all is logged", async || server.log().contains(LAST).then_some(())).await;
    let log = server.log();
    assert!(log.contains("TRACE") && log.contains("/api/me"), "it must be what a curious person would read");
    assert_eq!(secret.len(), 22);
    let told: Vec<&str> = log.lines().filter(|line| line.contains(secret)).collect();
    assert!(told.is_empty(), "{told:#?}");
}

#[tokio::test]
async fn no_line_tells_a_token_however_much_is_logged() {
    let (server, topic) = (TestServer::with(&["--log-filter", "trace"]), probe("topic"));
    let ada = server.guest("Ada").await;
    let secret = token(ada.cookie.as_deref().unwrap()).to_owned();
    let mut socket = server.socket(&ada).await;
    socket.subscribes(&topic).await;
    socket.hears_head(&topic).await;
    ada.publishes("topic", "k", "x").await;
    ada.get(endpoint::ME).await;
    let mut unreadable = ada.clone();
    unreadable.cookie = Some(format!("{}; ; =", ada.cookie.as_deref().unwrap()));
    unreadable.get("/api/topics/no topic/events").await;
    assert_eq!(ada.delete(endpoint::ME).await.status, 204);
    socket.closed().await;
    ada.get(LAST).await;
    tells_much_and_not(&server, &secret).await;
}

#[tokio::test]
async fn nor_under_tls_in_either_protocol() {
    let certificate = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let flags = certificate.flags();
    let mut flags: Vec<&str> = flags.each_ref().map(String::as_str).to_vec();
    flags.extend(["--log-filter", "trace"]);
    let server = TestServer::with(&flags);
    let mut stream = connect(server.address(), &certificate.cert(), &TLS13, "http/1.1").await.unwrap();
    let request = "POST /api/me HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                   Content-Length: 14\r\nConnection: close\r\n\r\n{\"name\":\"Ada\"}";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(me_over_http_2(&server, &certificate, cookie).await, 200);
    let stream = connect(server.address(), &certificate.cert(), &TLS13, "http/1.1").await.unwrap();
    get(stream, LAST).await;
    tells_much_and_not(&server, token(cookie)).await;
}

async fn me_over_http_2(server: &TestServer, certificate: &Certificate, cookie: &str) -> u16 {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let stream = connect(server.address(), &certificate.cert(), &TLS13, "h2").await.unwrap();
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.unwrap();
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get(format!("https://localhost{}", endpoint::ME)).header("cookie", cookie);
    let request = request.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
    let status = sender.send_request(request).await.unwrap().status().as_u16();
    connection.abort();
    status
}
