//! Rates and tallies: who asks for too much is told when to come back, and nobody else is.

use futures_util::future::try_join_all;
use serde_json::json;
use shared::{ErrorCode, Seq, Status, endpoint};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::support::limits::one_a_second;
use crate::support::metrics::counted;
use crate::support::{
    Cut, FEW_FILES, FaultyLink, METRICS, Program, Socket, TestBrowser, TestServer, eventually, in_time, probe,
};

#[tokio::test]
async fn a_person_publishes_in_bursts_and_then_at_their_rate() {
    let server = TestServer::with(&["--identity-publishes-per-sec", "1"]);
    let (ada, grace) = (server.guest("Ada").await, server.guest("Grace").await);
    let publish = async |number| ada.publish("topic", &format!("k{number}"), "x").await;
    let (published, refused) = one_a_second(publish).await;
    let problem = refused.is_refused(ErrorCode::TooMany, &["1 publishes a second"]);
    assert!((1..=1_100).contains(&problem.retry_after_ms.unwrap()), "{problem:?}");

    grace.publishes("topic", "k", "x").await;
    let answer = eventually("the rate lets her in again", async || {
        Some(publish(published).await).filter(|answer| answer.status != 429)
    });
    assert_eq!(answer.await.status, 201, "the refused publish had not happened");
    assert_eq!(ada.head(&probe("topic")).await, Seq(published as u64 + 2));
}

#[tokio::test]
async fn repeats_and_mistakes_count_as_well() {
    let server = TestServer::with(&["--identity-publishes-per-sec", "1"]);
    let ada = server.guest("Ada").await;
    let mut statuses = Vec::new();
    one_a_second(async |number| {
        let text = if number == 2 { "y" } else { "x" };
        let answer = ada.publish("topic", "key", text).await;
        statuses.push(answer.status);
        answer
    })
    .await;
    assert_eq!(statuses[..5], [201, 200, 422, 200, 200]);
}

#[tokio::test]
async fn an_address_makes_guests_at_its_rate() {
    let server = TestServer::with(&["--address-accounts-per-min", "2"]);
    let known = server.guest("Known").await;
    for _ in 0..3 {
        server.guest("Guest").await;
    }
    let refused = server.stranger().post(endpoint::ME, &json!({ "name": "Guest" })).await;
    let problem = refused.is_refused(ErrorCode::TooMany, &["2 new guests a minute"]);
    assert!((1..=31_000).contains(&problem.retry_after_ms.unwrap()), "{problem:?}");
    assert_eq!(
        known.post(endpoint::ME, &json!({ "name": "Renamed" })).await.status,
        200,
        "who is known may rename"
    );
}

#[tokio::test]
async fn an_address_opens_so_many_sockets_and_another_once_one_ends() {
    let server = TestServer::with(&["--address-readers-max", "2"]);
    let ada = server.guest("Ada").await;
    let (first, _second) = (server.socket(&ada).await, server.socket(&ada).await);
    ada.handshake(&[]).await.is_refused(ErrorCode::TooMany, &["address"]);
    drop(first);
    let third = eventually("a place is free", async || Socket::open(&ada, &[]).await.ok());
    third.await.hears_welcome().await;
}

#[tokio::test]
async fn who_asks_why_a_socket_came_to_nothing_is_told_as_the_socket_was() {
    let server = TestServer::with(&["--address-readers-max", "1"]);
    let ada = server.guest("Ada").await;
    assert_eq!(ada.get(endpoint::ME_FOR_SOCKET).await.status, 200);
    let only = server.socket(&ada).await;
    let refused = ada.get(endpoint::ME_FOR_SOCKET).await;
    let problem = refused.is_refused(ErrorCode::TooMany, &["close one first"]);
    assert!(problem.retry_after_ms.is_some());
    assert_eq!(ada.get(endpoint::ME).await.status, 200, "who only wants to know is told");
    assert_eq!(server.stranger().get(endpoint::ME_FOR_SOCKET).await.status, 204);
    ada.get("/api/me?for=fun").await.is_refused(ErrorCode::Invalid, &["for", "socket"]);
    drop(only);
    eventually("there is a place", async || {
        (ada.get(endpoint::ME_FOR_SOCKET).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_finds_no_place_waits_for_one_and_does_not_take_sockets_for_forbidden() {
    let flags = [&METRICS[..], &["--address-readers-max", "1"]].concat();
    let (server, topic) = (TestServer::with(&flags), probe("topic"));
    let (link, ada) = (FaultyLink::to(server.address()).await, server.guest("Ada").await);
    let reader = TestBrowser::open(server.guest("Reader").await.through(&link), &[&topic]).await;
    link.refuse();
    link.cut(Cut::Reset);
    let only = eventually("its place is taken", async || Socket::open(&ada, &[]).await.ok()).await;
    link.mend();
    eventually("it was refused twice", async || {
        let refused = r#"duplex_refused_total{reason="address_readers"}"#;
        (counted(&server.scrape().await, refused)? >= 4.0).then_some(())
    })
    .await;
    drop(only);
    // Who reads by poll tries a socket again after some minutes.
    reader.until("it has a place again", |record| record.status == Status::Connected).await;
}

#[tokio::test]
async fn a_node_opens_so_many_sockets() {
    let server = TestServer::with(&["--node-sockets-max", "1"]);
    let ada = server.guest("Ada").await;
    let _only = server.socket(&ada).await;
    ada.handshake(&[]).await.is_refused(ErrorCode::Unavailable, &["sockets"]);
}

#[tokio::test]
async fn an_address_opens_so_many_connections_and_the_next_is_closed() {
    let server = TestServer::with(&["--address-connections-max", "5"]);
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(TcpStream::connect(server.address()).await.unwrap());
    }
    let mut sixth = TcpStream::connect(server.address()).await.unwrap();
    let read = in_time("the sixth is closed", sixth.read(&mut [0])).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    drop(open);
    eventually("there is room again", async || server.stranger().try_get(endpoint::ME).await.ok()).await;
}

/// The others have no such limit, or none that is in the way.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_node_takes_more_open_files_than_it_is_given_where_it_may() {
    let server = TestServer::of(Program::ProbeOfFewFiles, &[]);
    let idle = (0..2 * FEW_FILES).map(|_| TcpStream::connect(server.address()));
    let idle = try_join_all(idle).await.unwrap();
    assert_eq!(in_time("an answer", server.stranger().get(endpoint::ME)).await.status, 204);
    drop(idle);
}

#[tokio::test]
async fn a_socket_that_says_too_much_is_read_more_slowly_and_loses_nothing() {
    let server = TestServer::with(&["--session-frames-per-sec", "20"]);
    let mut socket = server.socket(&server.guest("Ada").await).await;
    let started = std::time::Instant::now();
    for at in 0..120 {
        socket.says(&shared::ClientFrame::Ping { at }).await;
    }
    for at in 0..120 {
        assert_eq!(socket.hears().await, shared::ServerFrame::Pong { at });
    }
    // 80 at once, then 20 a second.
    assert!(
        started.elapsed().as_millis() > 1_500,
        "40 frames more than the burst took {:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn signals_past_their_rate_are_dropped_and_nothing_else_is() {
    let (server, topic) = (TestServer::with(&["--session-signals-per-sec", "2"]), probe("topic"));
    let (ada, grace) = (server.guest("Ada").await, server.guest("Grace").await);
    let (mut from, mut to) = (server.socket(&ada).await, server.socket(&grace).await);
    for socket in [&mut from, &mut to] {
        socket.subscribes(&topic).await;
        socket.hears_head(&topic).await;
    }
    for number in 0..20 {
        let payload = shared::Payload::of(&number).unwrap();
        from.says(&shared::ClientFrame::Signal { topic: topic.clone(), payload }).await;
    }
    from.hears_nothing().await;
    ada.publishes("topic", "k", "x").await;
    let mut signals = 0;
    while let shared::ServerFrame::Signal { .. } = to.hears().await {
        signals += 1;
    }
    assert!((1..10).contains(&signals), "{signals} of 20 signals came through");
}
