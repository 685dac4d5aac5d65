//! Connections that send little or nothing: closed in time, whatever they have sent.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::TestServer;

const CLOSED_WITHIN: Duration = Duration::from_secs(30);
/// Longer than a head may take.
const PAUSE: Duration = Duration::from_secs(23);
/// A request that has begun is answered before its connection is closed.
const ANSWERED_WITHIN: Duration = Duration::from_secs(40);

/// All at the same time, since it waits for the server's own clock.
#[tokio::test]
async fn a_connection_that_sends_nothing_one_byte_half_a_head_or_half_a_body_is_closed_in_time() {
    let servers = [TestServer::start(), TestServer::with(&["--tls", "self-signed"])];
    let shapes = [
        ("nothing", ""),
        ("one byte", "G"),
        ("half a line", "GET /api/me HT"),
        ("half a head", "GET /api/me HTTP/1.1\r\nHost: localhost\r\nX-Half: "),
        ("the start of TLS", "\u{16}\u{3}\u{1}"),
        ("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ];
    let mut connections = JoinSet::new();
    for server in &servers {
        for (name, bytes) in shapes {
            let address = server.address();
            connections.spawn(async move { (name, lives(address, bytes).await) });
        }
    }
    let paused = tokio::spawn(is_answered_after(PAUSE, servers[0].address()));
    let half = tokio::spawn(half_a_second_head_lives(servers[0].address()));
    let ada = servers[0].guest("Ada").await;
    let cookie = ada.cookie.expect("she has signed in");
    let half_a_body = format!(
        "POST /api/me HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    let (lived, answer) = lives(servers[0].address(), &half_a_body).await;
    assert!(lived < ANSWERED_WITHIN, "half a body: closed after {lived:?}");
    assert!(answer.starts_with("HTTP/1.1 408 "), "half a body: {answer:?}");

    paused.await.unwrap();
    let lived = half.await.unwrap();
    assert!(lived < CLOSED_WITHIN, "half a second head: closed after {lived:?}");
    for (name, (lived, _)) in connections.join_all().await {
        assert!(lived < CLOSED_WITHIN, "{name}: closed after {lived:?}");
    }
}

/// How long the server keeps a connection that sends this and no more, and what it says; gives up on one that is
/// not closed at all.
async fn lives(address: SocketAddr, bytes: &str) -> (Duration, String) {
    let opened = Instant::now();
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // HeadsOf of the two it is, the clock tells; and a connection that was reset is closed too.
    let _ended = timeout(ANSWERED_WITHIN, connection.read_to_end(&mut answer)).await;
    (opened.elapsed(), String::from_utf8_lossy(&answer).into_owned())
}

/// A balancer keeps a connection, and uses it again.
async fn is_answered_after(pause: Duration, address: SocketAddr) {
    let mut connection = TcpStream::connect(address).await.unwrap();
    is_answered(&mut connection).await;
    // The time itself is what is tested.
    tokio::time::sleep(pause).await;
    is_answered(&mut connection).await;
}

/// The life of a connection on which half a head follows a whole request.
async fn half_a_second_head_lives(address: SocketAddr) -> Duration {
    let mut connection = TcpStream::connect(address).await.unwrap();
    is_answered(&mut connection).await;
    connection.write_all(b"GET /healthz HTTP/1.1\r\nX-Ha").await.unwrap();
    let began = Instant::now();
    let _ended = timeout(ANSWERED_WITHIN, connection.read_to_end(&mut Vec::new())).await;
    began.elapsed()
}

async fn is_answered(connection: &mut TcpStream) {
    connection.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"alive\n") {
        let read = timeout(ANSWERED_WITHIN, connection.read_buf(&mut answer)).await;
        assert_ne!(read.expect("it is answered").unwrap(), 0, "it was closed");
    }
}
