//! Metrics for Prometheus: served on a separate address, correct, and of bounded size whatever clients do.

use std::time::Instant;

use rcgen::PKCS_ECDSA_P256_SHA256;
use reqwest::Method;
use rustls::version::TLS13;
use shared::{ClientFrame, Payload, ServerFrame, endpoint};
use tokio::net::TcpStream;

use crate::support::metrics::metric_value;
use crate::support::rate::ask_until_refused;
use crate::support::tls::{Certificate, connect, get};
use crate::support::{METRICS, Socket, TestServer, eventually, probe};

fn server(flags: &[&str]) -> TestServer {
    TestServer::with(&[&METRICS, flags].concat())
}

/// Returns the value of a series. Fails the test if it is missing.
#[track_caller]
fn number(scraped: &str, series: &str) -> f64 {
    metric_value(scraped, series).unwrap_or_else(|| panic!("no {series} in\n{scraped}"))
}

#[track_caller]
fn assert_values(scraped: &str, expected: &[(&str, f64)]) {
    for (series, value) in expected {
        assert_eq!(number(scraped, series), *value, "{series} in\n{scraped}");
    }
}

#[tokio::test]
async fn metrics_are_off_by_default_and_never_on_the_public_address() {
    let without = TestServer::start();
    let with = server(&[]);
    assert!(!without.stderr().contains("metrics"));
    for server in [&without, &with] {
        assert_eq!(server.stranger().get("/metrics").await.status, 404);
    }
    assert_eq!(
        reqwest::get(with.metrics_url().await.replace("/metrics", "/api/me")).await.unwrap().status(),
        404
    );
}

#[tokio::test]
async fn requests_frames_and_events_are_counted() {
    let server = server(&["--identity-publishes-per-sec", "1"]);
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let mut socket = server.socket(&ada).await;
    socket.subscribe(&topic).await;
    socket.receive_head(&topic).await;
    let publish = async |number| ada.try_publish("topic", &format!("k{number}"), "x").await;
    let (published, _) = ask_until_refused(publish).await;
    for _ in 0..published {
        socket.receive_event().await;
    }
    ada.head(&topic).await;
    let invalid = "no frame";
    socket.send_text(invalid).await;
    socket.receive().await;
    let subscribe = serde_json::json!({ "subscribe": { "topic": topic, "listed": true } }).to_string();

    let scraped = server.scrape().await;
    let publishes = r#"duplex_http_request_seconds_count{method="POST",route="/api/probe/{name}/events","#;
    assert_values(
        &scraped,
        &[
            (&format!(r#"{publishes}status="201"}}"#), published as f64),
            (&format!(r#"{publishes}status="429"}}"#), 1.0),
            (r#"duplex_refused_total{reason="identity_publishes"}"#, 1.0),
            (r#"duplex_pulls_total{source="memory"}"#, 1.0),
            ("duplex_append_seconds_count", published as f64),
            ("duplex_append_drafts_sum", published as f64),
            ("duplex_appends_failed_total", 0.0),
            ("duplex_sockets_open", 1.0),
            ("duplex_sessions", 1.0),
            ("duplex_subscriptions", 1.0),
            ("duplex_topics_watched", 1.0),
            ("duplex_publishes_waiting", 0.0),
            ("duplex_log_writable", 1.0),
            ("duplex_frames_in_total", 2.0),
            ("duplex_frames_refused_total", 1.0),
            ("duplex_bytes_in_total", (subscribe.len() + invalid.len()) as f64),
        ],
    );
    assert!(number(&scraped, r#"duplex_pulls_total{source="log"}"#) >= 1.0);
    // At least a welcome, a head, the events and an error; a presence may come at any time.
    assert!(number(&scraped, "duplex_frames_out_total") >= 8.0);
    assert!(number(&scraped, "duplex_bytes_out_total") > number(&scraped, "duplex_bytes_in_total"));
    assert!(number(&scraped, "duplex_mailbox_frames_count") >= 2.0);
}

#[tokio::test]
async fn gauges_return_to_zero_when_clients_leave() {
    let server = server(&[]);
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let mut socket = server.socket(&ada).await;
    socket.subscribe(&topic).await;
    socket.receive_head(&topic).await;
    let idle = TcpStream::connect(server.address()).await.unwrap();
    eventually("the connections are counted", async || {
        let scraped = server.scrape().await;
        let series = ["connections_total", "connections_open"].map(|name| format!("duplex_{name}"));
        series.iter().all(|series| number(&scraped, series) >= 1.0).then_some(())
    })
    .await;
    drop((socket, idle));
    eventually("all gauges are 0", async || {
        let scraped = server.scrape().await;
        let open = ["sockets_open", "sessions", "subscriptions", "connections_open"];
        open.iter().all(|name| number(&scraped, &format!("duplex_{name}")) == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn signals_and_reads_above_a_sockets_rates_are_counted() {
    let flags = ["--session-signals-per-sec", "1", "--session-frames-per-sec", "5"];
    let server = server(&flags);
    let topic = probe("topic");
    let mut socket = server.socket(&server.guest("Ada").await).await;
    socket.subscribe(&topic).await;
    socket.receive_head(&topic).await;
    let before = server.scrape().await;
    assert_values(&before, &[("duplex_signals_dropped_total", 0.0), ("duplex_reads_paused_total", 0.0)]);

    let begun = Instant::now();
    for number in 0..40 {
        let payload = Payload::of(&number).unwrap();
        socket.send_frame(&ClientFrame::Signal { topic: topic.clone(), payload }).await;
    }
    socket.assert_silent().await;
    let scraped = server.scrape().await;
    let dropped = number(&scraped, "duplex_signals_dropped_total");
    // All but the first are dropped, and but one for each second in which the others are read.
    let allowed = begun.elapsed().as_secs_f64() + 1.0;
    assert!((39.0 - allowed..=39.0).contains(&dropped), "{dropped} of 40 dropped, {allowed} allowed");
    // The burst is 20 frames.
    assert!(number(&scraped, "duplex_reads_paused_total") >= 1.0, "{scraped}");
}

#[tokio::test]
async fn a_topic_on_which_a_socket_fell_behind_is_counted() {
    let flags = ["--mailbox-frames-max", "4", "--identity-publishes-per-sec", "1000"];
    let server = server(&flags);
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    let mut socket = server.socket(&ada).await;
    socket.subscribe(&topic).await;
    socket.receive_head(&topic).await;
    assert_values(&server.scrape().await, &[("duplex_topics_behind_total", 0.0)]);

    // More than the kernel buffers for a socket that is not read.
    for number in 0..100 {
        ada.publish("topic", &format!("k{number}"), &"x".repeat(8_000)).await;
    }
    while let ServerFrame::Event(_) = socket.receive().await {}
    assert!(number(&server.scrape().await, "duplex_topics_behind_total") >= 1.0);
}

#[tokio::test]
async fn refusals_are_counted_by_reason() {
    let server = server(&["--address-readers-max", "1", "--address-accounts-per-min", "1"]);
    let ada = server.guest("Ada").await;
    server.guest("Grace").await;
    let _one = server.socket(&ada).await;
    assert!(Socket::open(&ada, &[]).await.is_err());
    let third = server.stranger().post(endpoint::ME, &serde_json::json!({ "name": "Joan" })).await;
    assert_eq!(third.status, 429);
    let foreign = ada.request(Method::DELETE, endpoint::ME).header("origin", "https://evil.example");
    assert_eq!(ada.ask(foreign).await.status, 403);
    let reasons = ["address_readers", "address_accounts", "origin"];
    assert_values(
        &server.scrape().await,
        &reasons.map(refused).each_ref().map(|series| (series.as_str(), 1.0)),
    );
}

#[tokio::test]
async fn refusals_for_lack_of_sockets_and_connections_are_counted() {
    let server = server(&["--node-sockets-max", "1", "--address-connections-max", "5"]);
    let ada = server.guest("Ada").await;
    let _one = server.socket(&ada).await;
    assert_eq!(ada.handshake(&[]).await.status, 503);
    let full = refused("node_sockets");
    let crowded = refused("address_connections");
    assert_values(&server.scrape().await, &[(&full, 1.0)]);
    let mut open = Vec::new();
    eventually("an address has too many connections", async || {
        open.push(TcpStream::connect(server.address()).await.unwrap());
        (metric_value(&server.scrape().await, &crowded)? >= 1.0).then_some(())
    })
    .await;
}

fn refused(reason: &str) -> String {
    format!(r#"duplex_refused_total{{reason="{reason}"}}"#)
}

#[tokio::test]
async fn successful_and_failed_tls_handshakes_are_counted() {
    let certificate = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let server = server(&certificate.flags().each_ref().map(String::as_str));
    let stream = connect(server.address(), &certificate.cert(), &TLS13, "http/1.1").await.unwrap();
    get(stream, endpoint::ME).await;
    let other = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    assert!(connect(server.address(), &other.cert(), &TLS13, "http/1.1").await.is_err());
    let of = |outcome: &str| format!(r#"duplex_tls_handshakes_total{{outcome="{outcome}"}}"#);
    eventually("both are counted", async || {
        let scraped = server.scrape().await;
        let outcomes = ["ok", "failed"].map(|outcome| metric_value(&scraped, &of(outcome)));
        (outcomes == [Some(1.0), Some(1.0)]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn nothing_that_a_client_chooses_adds_metrics() {
    let server = server(&["--address-accounts-per-min", "1000"]);
    let lines = async || server.scrape().await.lines().count();
    let chosen = async |prefix: &str| {
        for number in 0..20 {
            let name = format!("{prefix}{number}");
            let somebody = server.guest(&name).await;
            somebody.publish(&name, &name, &name).await;
            somebody.head(&probe(&name)).await;
            for path in [format!("/{name}"), format!("/api/{name}"), format!("/api/topics/{name}/events")] {
                somebody.get(&path).await;
            }
            let method = Method::from_bytes(name.to_uppercase().as_bytes()).unwrap();
            somebody.ask(somebody.request(method, "/")).await;
        }
    };
    chosen("a").await;
    let after_some = lines().await;
    chosen("b").await;
    assert_eq!(lines().await, after_some);
}
