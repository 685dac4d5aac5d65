//! Connections that send little or nothing: they are closed in time, whatever they have sent.

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
/// A request that has begun gets an answer before its connection is closed.
const ANSWERED_WITHIN: Duration = Duration::from_secs(40);

/// Tests all cases at the same time, since each waits for the server's clock.
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
            connections.spawn(async move { (name, send_and_wait(address, bytes).await) });
        }
    }
    let paused = tokio::spawn(assert_answered_after(PAUSE, servers[0].address()));
    let half_head = tokio::spawn(send_half_a_second_head(servers[0].address()));
    let ada = servers[0].guest("Ada").await;
    let cookie = ada.cookie.expect("she has signed in");
    let half_a_body = format!(
        "POST /api/me HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    let (open_for, answer) = send_and_wait(servers[0].address(), &half_a_body).await;
    assert!(open_for < ANSWERED_WITHIN, "half a body: closed after {open_for:?}");
    assert!(answer.starts_with("HTTP/1.1 408 "), "half a body: {answer:?}");

    paused.await.unwrap();
    let open_for = half_head.await.unwrap();
    assert!(open_for < CLOSED_WITHIN, "half a second head: closed after {open_for:?}");
    for (name, (open_for, _)) in connections.join_all().await {
        assert!(open_for < CLOSED_WITHIN, "{name}: closed after {open_for:?}");
    }
}

/// Sends bytes on a new connection, and waits until the server closes it. Returns the time that it was open, and the
/// answer. Stops waiting after [`ANSWERED_WITHIN`].
async fn send_and_wait(address: SocketAddr, bytes: &str) -> (Duration, String) {
    let opened = Instant::now();
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The elapsed time shows whether it was closed in time. A connection that was reset is closed too.
    let _ended = timeout(ANSWERED_WITHIN, connection.read_to_end(&mut answer)).await;
    (opened.elapsed(), String::from_utf8_lossy(&answer).into_owned())
}

/// Asserts that a connection can be reused after a pause, as load balancers do.
async fn assert_answered_after(pause: Duration, address: SocketAddr) {
    let mut connection = TcpStream::connect(address).await.unwrap();
    assert_answered(&mut connection).await;
    // The pause itself is under test.
    tokio::time::sleep(pause).await;
    assert_answered(&mut connection).await;
}

/// Sends a complete request and half of the next head. Returns the time that the connection stays open then.
async fn send_half_a_second_head(address: SocketAddr) -> Duration {
    let mut connection = TcpStream::connect(address).await.unwrap();
    assert_answered(&mut connection).await;
    connection.write_all(b"GET /healthz HTTP/1.1\r\nX-Ha").await.unwrap();
    let began = Instant::now();
    let _ended = timeout(ANSWERED_WITHIN, connection.read_to_end(&mut Vec::new())).await;
    began.elapsed()
}

async fn assert_answered(connection: &mut TcpStream) {
    connection.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"alive\n") {
        let read = timeout(ANSWERED_WITHIN, connection.read_buf(&mut answer)).await;
        assert_ne!(read.expect("the request is answered").unwrap(), 0, "the connection was closed");
    }
}
