//! Memory runs short, or one address takes too much of it: new requests are told when to come back, an address with
//! many connections is sent away, and everybody else is served.

use futures_util::future::select_all;
use serde_json::json;
use shared::{ErrorCode, PAGE_LIMIT_MAX, endpoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::metrics::metric_value;
use crate::support::{METRICS, Person, Socket, TestServer, eventually};

/// Fewer bytes than a page of the topic below.
const LITTLE: &str = "200000";
const EVENTS: usize = 125;
const EVENT_BYTES: usize = 8_000;

/// Sends the beginning of a request on a new connection with a small receive buffer.
async fn send_slow_reader(ada: &Person, server: &TestServer, line: &str, rest: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    // Bytes in the kernel's receive buffer would no longer burden the node.
    socket.set_recv_buffer_size(4_096).unwrap();
    send_on(ada, server, socket, line, rest).await
}

/// Sends the beginning of a request on this socket.
async fn send_on(ada: &Person, server: &TestServer, socket: TcpSocket, line: &str, rest: &str) -> TcpStream {
    let mut stream = socket.connect(server.address()).await.unwrap();
    let cookie = ada.cookie.as_deref().unwrap();
    let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n{rest}");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

fn newest_page() -> String {
    format!("/api/topics/probe:topic/events?limit={PAGE_LIMIT_MAX}")
}

#[tokio::test]
async fn unread_pages_make_their_address_wait_until_they_are_gone() {
    let flags = [&METRICS[..], &["--address-bytes-max", LITTLE], &["--identity-publishes-per-sec", "1000"]];
    let server = TestServer::with(&flags.concat());
    let ada = server.guest("Ada").await;
    for number in 0..EVENTS {
        ada.publish("topic", &format!("k{number}"), &"x".repeat(EVENT_BYTES)).await;
    }
    let mut unread = send_slow_reader(&ada, &server, &format!("GET {}", newest_page()), "\r\n").await;
    unread.read_exact(&mut [0; 12]).await.unwrap();
    let refused = ada.get(&newest_page()).await;
    let problem = refused.is_refused(ErrorCode::TooMany, &["read the answers first"]);
    assert!(problem.retry_after_ms.is_some());
    let count = r#"duplex_refused_total{reason="address_bytes"}"#;
    assert_eq!(metric_value(&server.scrape().await, count), Some(1.0));
    drop(unread);
    eventually("the memory of unread answers is free again", async || {
        (ada.get(&newest_page()).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_incomplete_body_counts_with_its_declared_length() {
    let server = TestServer::with(&["--address-bytes-max", "100000"]);
    let ada = server.guest("Ada").await;
    let rest = "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{";
    let begun = send_slow_reader(&ada, &server, "POST /api/me", rest).await;
    let next = json!({ "name": "x".repeat(50_000) });
    eventually("the first body has taken its share", async || {
        let answer = ada.post(endpoint::ME, &next).await;
        (answer.status == 429).then(|| answer.is_refused(ErrorCode::TooMany, &["read the answers first"]))
    })
    .await;
    drop(begun);
    eventually("the memory is free again", async || {
        (ada.post(endpoint::ME, &next).await.status == 400).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_memory_of_all_requests_is_bounded_but_small_requests_still_fit() {
    let server = TestServer::with(&["--node-bytes-max", "600000", "--body-bytes-max", "100000"]);
    let ada = server.guest("Ada").await;
    let rest = "Content-Type: application/json\r\nContent-Length: 90000\r\n\r\n{";
    // Each address may use a quarter, which is one such body; six of them use almost everything.
    let mut begun = Vec::new();
    for address in 2..=8 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, address], 0).into()).unwrap();
        begun.push(send_on(&ada, &server, socket, "POST /api/me", rest).await);
    }
    let large = json!({ "name": "x".repeat(89_000) });
    let small = json!({ "name": "Ada Lovelace" });
    eventually("a large request is refused", async || {
        let answer = ada.post(endpoint::ME, &large).await;
        (answer.status == 503).then(|| answer.is_refused(ErrorCode::Unavailable, &["too busy"]))
    })
    .await;
    assert_eq!(ada.post(endpoint::ME, &small).await.status, 200);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_node_that_is_short_of_memory_disconnects_crowds_and_serves_the_others() {
    // Less than the node uses without clients.
    let flags = [&METRICS[..], &["--memory-max", "16M", "--identity-publishes-per-sec", "1000"]];
    let server = TestServer::with(&flags.concat());
    let ada = server.guest("Ada").await;
    let mut crowd = Vec::new();
    let refused =
        eventually("the node accepts no more sockets from one address", async || {
            match Socket::open(&ada, &[]).await {
                Ok(socket) => {
                    crowd.push(socket);
                    None
                }
                Err(_) => Some(ada.get(endpoint::ME_FOR_SOCKET).await).filter(|answer| answer.status != 200),
            }
        })
        .await;
    let problem = refused.is_refused(ErrorCode::Unavailable, &["short of memory", "try again later"]);
    assert!(problem.retry_after_ms.is_some());
    assert_eq!(ada.get(endpoint::ME).await.status, 200, "an address with few connections is served");
    let sent_away = select_all(crowd.into_iter().map(|socket| Box::pin(socket.receive_close())));
    let fill_memory = async {
        for number in 0.. {
            ada.publish(&format!("t{number}"), "k", &"x".repeat(EVENT_BYTES)).await;
        }
    };
    let ((_, code), ..) = tokio::select! {
        sent_away = sent_away => sent_away,
        () = fill_memory => unreachable!("the numbers do not end"),
    };
    assert_eq!(code, 1013);
    let scraped = server.scrape().await;
    assert!(metric_value(&scraped, "duplex_memory_max_bytes") == Some(16_777_216.0), "{scraped}");
    assert!(
        metric_value(&scraped, "duplex_memory_bytes").is_some_and(|taken| taken > 10_000_000.0),
        "{scraped}"
    );
}
