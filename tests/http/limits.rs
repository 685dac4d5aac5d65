//! Rates and limits: a client that exceeds one is told when to come back, and nobody else is affected.

use futures_util::future::try_join_all;
use serde_json::json;
use shared::{ErrorCode, Seq, Status, endpoint};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::support::metrics::metric_value;
use crate::support::rate::ask_until_refused;
use crate::support::{
    Cut, FEW_FILES, FaultyLink, METRICS, Program, Socket, TestBrowser, TestServer, eventually, in_time, probe,
};

#[tokio::test]
async fn a_user_may_publish_a_burst_and_then_at_their_rate() {
    let server = TestServer::with(&["--identity-publishes-per-sec", "1"]);
    let ada = server.guest("Ada").await;
    let grace = server.guest("Grace").await;
    let publish = async |number| ada.try_publish("topic", &format!("k{number}"), "x").await;
    let (published, refused) = ask_until_refused(publish).await;
    let problem = refused.is_refused(ErrorCode::TooMany, &["1 publishes a second"]);
    assert!((1..=1_100).contains(&problem.retry_after_ms.unwrap()), "{problem:?}");

    grace.publish("topic", "k", "x").await;
    let answer = eventually("the rate allows a publish again", async || {
        Some(publish(published).await).filter(|answer| answer.status != 429)
    });
    assert_eq!(answer.await.status, 201, "the refused publish changed nothing");
    assert_eq!(ada.head(&probe("topic")).await, Seq(published as u64 + 2));
}

#[tokio::test]
async fn repeated_and_refused_publishes_count_toward_the_rate() {
    let server = TestServer::with(&["--identity-publishes-per-sec", "1"]);
    let ada = server.guest("Ada").await;
    let mut statuses = Vec::new();
    ask_until_refused(async |number| {
        let text = if number == 2 { "y" } else { "x" };
        let answer = ada.try_publish("topic", "key", text).await;
        statuses.push(answer.status);
        answer
    })
    .await;
    assert_eq!(statuses[..5], [201, 200, 422, 200, 200]);
}

#[tokio::test]
async fn an_address_may_create_guests_at_its_rate() {
    let server = TestServer::with(&["--address-accounts-per-min", "2"]);
    let known = server.guest("Known").await;
    for _ in 0..3 {
        server.guest("Guest").await;
    }
    let refused = server.stranger().post(endpoint::ME, &json!({ "name": "Guest" })).await;
    let problem = refused.is_refused(ErrorCode::TooMany, &["2 new accounts a minute"]);
    assert!((1..=31_000).contains(&problem.retry_after_ms.unwrap()), "{problem:?}");
    assert_eq!(
        known.post(endpoint::ME, &json!({ "name": "Renamed" })).await.status,
        200,
        "an existing guest may rename"
    );
}

#[tokio::test]
async fn an_address_may_open_another_socket_once_one_of_its_maximum_is_closed() {
    let server = TestServer::with(&["--address-readers-max", "2"]);
    let ada = server.guest("Ada").await;
    let first = server.socket(&ada).await;
    let _second = server.socket(&ada).await;
    ada.handshake(&[]).await.is_refused(ErrorCode::TooMany, &["address"]);
    drop(first);
    let third = eventually("a socket can be opened", async || Socket::open(&ada, &[]).await.ok());
    third.await.receive_welcome().await;
}

#[tokio::test]
async fn a_client_that_asks_why_its_socket_failed_gets_the_same_refusal() {
    let server = TestServer::with(&["--address-readers-max", "1"]);
    let ada = server.guest("Ada").await;
    assert_eq!(ada.get(endpoint::ME_FOR_SOCKET).await.status, 200);
    let only = server.socket(&ada).await;
    let refused = ada.get(endpoint::ME_FOR_SOCKET).await;
    let problem = refused.is_refused(ErrorCode::TooMany, &["close one first"]);
    assert!(problem.retry_after_ms.is_some());
    assert_eq!(ada.get(endpoint::ME).await.status, 200, "a plain question is answered");
    assert_eq!(server.stranger().get(endpoint::ME_FOR_SOCKET).await.status, 204);
    ada.get("/api/me?for=fun").await.is_refused(ErrorCode::Invalid, &["for", "socket"]);
    drop(only);
    eventually("a socket may be opened", async || {
        (ada.get(endpoint::ME_FOR_SOCKET).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_client_refused_for_lack_of_sockets_waits_and_does_not_start_to_poll() {
    let flags = [&METRICS[..], &["--address-readers-max", "1"]].concat();
    let server = TestServer::with(&flags);
    let topic = probe("topic");
    let link = FaultyLink::to(server.address()).await;
    let ada = server.guest("Ada").await;
    let reader = TestBrowser::open(server.guest("Reader").await.through(&link), &[&topic]).await;
    link.refuse();
    link.cut(Cut::Reset);
    let only = eventually("the reader's place is taken", async || Socket::open(&ada, &[]).await.ok()).await;
    link.mend();
    eventually("the reader was refused twice", async || {
        let refused = r#"duplex_refused_total{reason="address_readers"}"#;
        (metric_value(&server.scrape().await, refused)? >= 4.0).then_some(())
    })
    .await;
    drop(only);
    // A reader that polls would try a socket again only after some minutes.
    reader.wait_until("the reader is connected again", |record| record.status == Status::Connected).await;
}

#[tokio::test]
async fn a_node_has_a_maximum_number_of_sockets() {
    let server = TestServer::with(&["--node-sockets-max", "1"]);
    let ada = server.guest("Ada").await;
    let _only = server.socket(&ada).await;
    ada.handshake(&[]).await.is_refused(ErrorCode::Unavailable, &["sockets"]);
}

#[tokio::test]
async fn an_address_has_a_maximum_number_of_connections_and_the_next_is_closed() {
    let server = TestServer::with(&["--address-connections-max", "5"]);
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(TcpStream::connect(server.address()).await.unwrap());
    }
    let mut sixth = TcpStream::connect(server.address()).await.unwrap();
    let read = in_time("the sixth is closed", sixth.read(&mut [0])).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    drop(open);
    eventually("another connection is accepted", async || server.stranger().try_get(endpoint::ME).await.ok())
        .await;
}

/// Other systems have no such limit, or none that matters.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_node_raises_its_limit_of_open_files_if_it_may() {
    let server = TestServer::of(Program::ProbeOfFewFiles, &[]);
    let idle = (0..2 * FEW_FILES).map(|_| TcpStream::connect(server.address()));
    let idle = try_join_all(idle).await.unwrap();
    assert_eq!(in_time("an answer", server.stranger().get(endpoint::ME)).await.status, 204);
    drop(idle);
}

#[tokio::test]
async fn a_socket_that_sends_too_fast_is_read_more_slowly_and_loses_nothing() {
    let server = TestServer::with(&["--session-frames-per-sec", "20"]);
    let mut socket = server.socket(&server.guest("Ada").await).await;
    let started = std::time::Instant::now();
    for at in 0..120 {
        socket.send_frame(&shared::ClientFrame::Ping { at }).await;
    }
    for at in 0..120 {
        assert_eq!(socket.receive().await, shared::ServerFrame::Pong { at });
    }
    // The burst is 80 frames; then the rate is 20 a second.
    assert!(started.elapsed().as_millis() > 1_500, "40 frames beyond the burst took {:?}", started.elapsed());
}

#[tokio::test]
async fn signals_above_their_rate_are_dropped_and_nothing_else() {
    let server = TestServer::with(&["--session-signals-per-sec", "2"]);
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let grace = server.guest("Grace").await;
    let mut from = server.socket(&ada).await;
    let mut to = server.socket(&grace).await;
    for socket in [&mut from, &mut to] {
        socket.subscribe(&topic).await;
        socket.receive_head(&topic).await;
    }
    for number in 0..20 {
        let payload = shared::Payload::of(&number).unwrap();
        from.send_frame(&shared::ClientFrame::Signal { topic: topic.clone(), payload }).await;
    }
    from.assert_silent().await;
    ada.publish("topic", "k", "x").await;
    let mut signals = 0;
    while let shared::ServerFrame::Signal { .. } = to.receive().await {
        signals += 1;
    }
    assert!((1..10).contains(&signals), "{signals} of 20 signals arrived");
}
