//! Health checks for supervisors and load balancers: the process is alive, and it accepts more clients.

use reqwest::Method;
use serde_json::{Value, json};
use shared::ServerFrame;

use crate::support::{TestServer, eventually};

#[tokio::test]
async fn health_checks_need_no_sign_in_and_are_not_cached() {
    let server = TestServer::start();
    let stranger = server.stranger();
    for path in ["/healthz", "/readyz"] {
        for method in [Method::GET, Method::HEAD] {
            let answer = stranger.ask(stranger.request(method, path)).await;
            assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{path}");
        }
        let posted = stranger.post(path, &json!({})).await;
        assert_eq!((posted.status, posted.header("allow")), (405, "GET,HEAD"), "{path}");
    }
    assert_eq!(stranger.get("/readyz").await.json::<Value>(), json!({ "ready": true, "reasons": [] }));
}

#[tokio::test]
async fn health_checks_accept_any_host_and_origin() {
    let server = TestServer::start();
    let stranger = server.stranger();
    for path in ["/healthz", "/readyz"] {
        let request = stranger.request(Method::GET, path);
        let request = request.header("host", "10.0.0.7:3000").header("origin", "https://evil.example");
        assert_eq!(stranger.ask(request).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_node_that_is_stopping_is_alive_and_not_ready() {
    let mut server = TestServer::with(&["--drain-delay-secs", "3"]);
    let connected = server.guest("Ada").await.with_open_connections();
    connected.get("/healthz").await;
    server.terminate();
    let not_ready = eventually("the node is not ready", async || {
        connected.try_get("/readyz").await.ok().filter(|answer| answer.status == 503)
    })
    .await;
    let body: Value = serde_json::from_str(not_ready.text()).unwrap();
    assert_eq!(body, json!({ "ready": false, "reasons": ["the node is going away"] }));
    assert_eq!(connected.get("/healthz").await.status, 200);
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_draining_node_accepts_requests_during_the_drain_delay() {
    let mut server = TestServer::with(&["--drain-delay-secs", "3"]);
    let ada = server.guest("Ada").await;
    server.terminate();
    eventually("the node is not ready", async || (ada.get("/readyz").await.status == 503).then_some(()))
        .await;
    // Without the delay, a node without clients would not listen any more.
    let late = server.socket(&ada).await;
    ada.publish("topic", "k1", "hello").await;
    let (frames, _) = late.receive_close().await;
    assert!(matches!(frames[..], [ServerFrame::Drain { .. }]), "{frames:?}");
    assert_eq!(server.ended().await.code(), Some(0));
}
