//! Connections that send little or nothing: closed in time, whatever they have sent.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::TestServer;

const CLOSED_WITHIN: Duration = Duration::from_secs(30);

/// In parallel, since it waits for the server's own clock.
#[tokio::test]
async fn a_connection_that_sends_nothing_one_byte_or_half_a_head_is_closed_within_thirty_seconds() {
    let servers = [TestServer::start(), TestServer::with(&["--tls", "self-signed"])];
    let shapes = [
        ("nothing", ""),
        ("one byte", "G"),
        ("half a line", "GET /api/me HT"),
        ("half a head", "GET /api/me HTTP/1.1\r\nHost: localhost\r\nX-Half: "),
        ("the start of TLS", "\u{16}\u{3}\u{1}"),
        ("a request, and then nothing", "GET /api/me HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ];
    let mut connections = JoinSet::new();
    for server in &servers {
        for (name, bytes) in shapes {
            let address = server.address();
            connections.spawn(async move { (name, lives(address, bytes).await) });
        }
    }
    for (name, lived) in connections.join_all().await {
        assert!(lived.is_some_and(|lived| lived < CLOSED_WITHIN), "{name}: closed after {lived:?}");
    }
}

/// How long the server keeps a connection that sends this and no more; nothing when it is never closed.
async fn lives(address: std::net::SocketAddr, bytes: &str) -> Option<Duration> {
    let opened = Instant::now();
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // An error is a connection that was reset, which is closed too.
    timeout(CLOSED_WITHIN + Duration::from_secs(5), connection.read_to_end(&mut answer)).await.ok()?.ok();
    Some(opened.elapsed())
}
