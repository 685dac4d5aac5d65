//! A node that is told to stop: nobody is cut off in the middle, and it does not take long.

use std::time::{Duration, Instant};

use shared::{ErrorCode, ServerFrame, endpoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::metrics::counted;
use crate::support::{METRICS, Person, TestBrowser, TestServer, eventually, in_time, probe};

const STOP_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test]
async fn every_socket_is_told_when_to_come_back_and_closed_with_1012() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(server.socket(&ada).await);
    }
    let asked = Instant::now();
    server.terminate();

    let mut told = Vec::new();
    for socket in sockets {
        let (frames, code) = socket.closed().await;
        let Some(ServerFrame::Drain { reconnect_after_ms }) = frames.last() else {
            panic!("{frames:?} ends without a drain");
        };
        assert_eq!(code, 1012);
        told.push(*reconnect_after_ms);
    }
    assert!(server.ended().await.success());
    assert!(asked.elapsed() < STOP_WITHIN, "it took {:?}", asked.elapsed());
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 5, "each gets another number: {told:?}");
}

#[tokio::test]
async fn who_was_told_that_it_listens_may_stop_it_at_once() {
    for _ in 0..20 {
        let mut server = TestServer::start();
        server.terminate();
        assert_eq!(server.ended().await.code(), Some(0));
    }
}

#[tokio::test]
async fn an_idle_node_ends_with_zero_at_once() {
    let mut server = TestServer::start();
    let idle = TcpStream::connect(server.address()).await.unwrap();
    let asked = Instant::now();
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(asked.elapsed() < STOP_WITHIN, "it took {:?}", asked.elapsed());
    drop(idle);
}

#[tokio::test]
async fn sockets_that_do_not_read_cannot_keep_it() {
    let mut server = TestServer::with(&["--identity-publishes-per-sec", "100000"]);
    let _stuck = does_not_read(&server, &server.guest("Ada").await).await;
    let asked = Instant::now();
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(asked.elapsed() < STOP_WITHIN, "it took {:?}", asked.elapsed());
}

#[tokio::test]
async fn a_socket_that_takes_nothing_ends_soon_after_its_sign_in() {
    let server = TestServer::with(&[&METRICS[..], &["--identity-publishes-per-sec", "100000"]].concat());
    let stuck = does_not_read(&server, &server.guest("Ada").await).await;
    let open = async || counted(&server.scrape().await, "duplex_sockets_open");
    assert_eq!(open().await, Some(1.0));
    assert_eq!(stuck.person.delete(endpoint::ME).await.status, 204);
    // Well before it would be closed for taking nothing.
    eventually("its socket is gone", async || (open().await? == 0.0).then_some(())).await;
}

/// A reader to whom more was sent than the kernel takes for it.
async fn does_not_read(server: &TestServer, ada: &Person) -> TestBrowser {
    let stuck = server.browser("Stuck", &[&probe("topic")]).await;
    stuck.stops_reading();
    for number in 0..300 {
        ada.publishes("topic", &format!("k{number}"), &"x".repeat(4_000)).await;
    }
    stuck
}

#[tokio::test]
async fn new_sockets_get_503_while_the_others_are_sent_away() {
    let mut server = TestServer::with(&["--identity-publishes-per-sec", "100000"]);
    let ada = server.guest("Ada").await;
    // It keeps the node draining for some seconds.
    let stuck = does_not_read(&server, &ada).await;
    server.terminate();
    let refused = eventually("new sockets are refused", async || {
        Some(ada.handshake(&[]).await).filter(|answer| answer.status != 101)
    });
    refused.await.is_refused(ErrorCode::Unavailable, &["no more sockets"]);
    drop(stuck);
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_request_in_flight_is_answered_when_nobody_new_is_let_in() {
    let mut server = TestServer::start();
    let ada = server.guest("Ada").await;
    let (mut request, rest) = half_a_publish(&server, &ada).await;
    server.terminate();
    let address = server.address();
    eventually("nobody is let in", async || TcpStream::connect(address).await.err()).await;
    request.write_all(rest.as_bytes()).await.unwrap();

    let mut answer = String::new();
    in_time("the answer", request.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    assert_eq!(server.ended().await.code(), Some(0));
    server.restart();
    assert_eq!(ada.keys(&probe("topic")).await, ["in-flight"]);
}

/// A publish of which the server has read the head and half of the body, and the other half.
async fn half_a_publish(server: &TestServer, ada: &Person) -> (TcpStream, &'static str) {
    let (body, cookie) = (r#"{"text":"in two halves"}"#, ada.cookie.as_deref().unwrap());
    let head = format!(
        "POST /api/probe/topic/events HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nExpect: 100-continue\r\n\
         Idempotency-Key: in-flight\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut request = TcpStream::connect(server.address()).await.unwrap();
    request.write_all(head.as_bytes()).await.unwrap();
    // The interim answer says that the handler waits for the body.
    let mut interim = [0; 25];
    in_time("100 Continue", request.read_exact(&mut interim)).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    let (first, rest) = body.split_at(body.len() / 2);
    request.write_all(first.as_bytes()).await.unwrap();
    (request, rest)
}
