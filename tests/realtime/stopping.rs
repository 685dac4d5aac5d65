//! A node that is asked to stop: nobody is cut off in the middle of something, and it does not take long.

use std::time::{Duration, Instant};

use shared::{ErrorCode, ServerFrame, endpoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::metrics::metric_value;
use crate::support::{
    METRICS, NO_PUBLISH_LIMIT, Person, TestBrowser, TestServer, eventually, in_time, probe,
};

const STOP_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test]
async fn every_socket_is_told_when_to_reconnect_and_closed_with_1012() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(server.socket(&ada).await);
    }
    let started = Instant::now();
    server.terminate();

    let mut delays = Vec::new();
    for socket in sockets {
        let (frames, code) = socket.receive_close().await;
        let Some(ServerFrame::Drain { reconnect_after_ms }) = frames.last() else {
            panic!("{frames:?} ends without a drain");
        };
        assert_eq!(code, 1012);
        delays.push(*reconnect_after_ms);
    }
    assert!(server.ended().await.success());
    assert!(started.elapsed() < STOP_WITHIN, "it took {:?}", started.elapsed());
    delays.sort();
    delays.dedup();
    assert_eq!(delays.len(), 5, "each socket gets a different delay: {delays:?}");
}

#[tokio::test]
async fn a_node_can_be_stopped_as_soon_as_it_listens() {
    for _ in 0..20 {
        let mut server = TestServer::start();
        server.terminate();
        assert_eq!(server.ended().await.code(), Some(0));
    }
}

#[tokio::test]
async fn an_idle_node_exits_with_zero_at_once() {
    let mut server = TestServer::start();
    let idle = TcpStream::connect(server.address()).await.unwrap();
    let started = Instant::now();
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(started.elapsed() < STOP_WITHIN, "it took {:?}", started.elapsed());
    drop(idle);
}

#[tokio::test]
async fn sockets_that_do_not_read_cannot_delay_the_stop() {
    let mut server = TestServer::with(&NO_PUBLISH_LIMIT);
    let _stuck = stuck_reader(&server, &server.guest("Ada").await).await;
    let started = Instant::now();
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(started.elapsed() < STOP_WITHIN, "it took {:?}", started.elapsed());
}

#[tokio::test]
async fn a_socket_that_does_not_read_is_closed_soon_after_its_sign_in_ends() {
    let server = TestServer::with(&[&METRICS[..], &["--identity-publishes-per-sec", "100000"]].concat());
    let stuck = stuck_reader(&server, &server.guest("Ada").await).await;
    let open = async || metric_value(&server.scrape().await, "duplex_sockets_open");
    assert_eq!(open().await, Some(1.0));
    assert_eq!(stuck.person.delete(endpoint::ME).await.status, 204);
    // Well before the node would close it for not reading.
    eventually("its socket is gone", async || (open().await? == 0.0).then_some(())).await;
}

/// Opens a browser that does not read, and publishes more than the kernel buffers for it.
async fn stuck_reader(server: &TestServer, ada: &Person) -> TestBrowser {
    let stuck = server.browser("Stuck", &[&probe("topic")]).await;
    stuck.stop_reading();
    for number in 0..300 {
        ada.publish("topic", &format!("k{number}"), &"x".repeat(4_000)).await;
    }
    stuck
}

#[tokio::test]
async fn new_sockets_get_503_while_open_ones_are_drained() {
    let mut server = TestServer::with(&NO_PUBLISH_LIMIT);
    let ada = server.guest("Ada").await;
    // It delays the end of the node by some seconds.
    let stuck = stuck_reader(&server, &ada).await;
    server.terminate();
    let refused = eventually("new sockets are refused", async || {
        Some(ada.handshake(&[]).await).filter(|answer| answer.status != 101)
    });
    refused.await.is_refused(ErrorCode::Unavailable, &["no more sockets"]);
    drop(stuck);
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_request_in_flight_is_answered_although_no_new_connections_are_accepted() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    let (mut request, rest) = half_a_publish(&server, &ada).await;
    server.terminate();
    let address = server.address();
    eventually("no connection is accepted", async || TcpStream::connect(address).await.err()).await;
    request.write_all(rest.as_bytes()).await.unwrap();

    let mut answer = String::new();
    in_time("the answer", request.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    assert_eq!(server.ended().await.code(), Some(0));
    server.restart();
    assert_eq!(ada.keys(&probe("topic")).await, ["in-flight"]);
}

/// Sends the head and half of the body of a publish. Returns the connection, once the server waits for the body, and
/// the other half.
async fn half_a_publish(server: &TestServer, ada: &Person) -> (TcpStream, &'static str) {
    let body = r#"{"text":"in two halves"}"#;
    let cookie = ada.cookie.as_deref().unwrap();
    let head = format!(
        "POST /api/probe/topic/events HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nExpect: 100-continue\r\n\
         Idempotency-Key: in-flight\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut request = TcpStream::connect(server.address()).await.unwrap();
    request.write_all(head.as_bytes()).await.unwrap();
    // The interim response means that the handler waits for the body.
    let mut interim = [0; 25];
    in_time("100 Continue", request.read_exact(&mut interim)).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    let (first, rest) = body.split_at(body.len() / 2);
    request.write_all(first.as_bytes()).await.unwrap();
    (request, rest)
}
