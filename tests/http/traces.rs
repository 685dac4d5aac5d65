//! Traces, as a collector receives them (OTLP over HTTP).

use axum::Router;
use axum::body::Bytes;
use axum::http::Uri;
use axum::routing::post;
use reqwest::Method;
use shared::endpoint;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::{Port, TestServer, in_time};

/// The `traceparent` header of a caller (W3C Trace Context): version, trace, span, flags.
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: [u8; 16] = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes();
const CALLER: [u8; 8] = 0xb7ad_6b71_6920_3331_u64.to_be_bytes();

/// Starts a collector. Returns its address, and the path and the body of each request that it gets.
async fn collector() -> (String, UnboundedReceiver<(Uri, Bytes)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = unbounded_channel();
    let collect = move |uri: Uri, body: Bytes| async move { sender.send((uri, body)).unwrap() };
    let router = Router::new().route("/v1/traces", post(collect));
    tokio::spawn(async { axum::serve(listener, router).await });
    (endpoint, received)
}

/// Returns true if the body contains `part`. Protobuf does not encode text and ids.
fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_request_is_a_span_in_the_trace_of_its_caller() {
    let (endpoint, mut received) = collector().await;
    let mut server = TestServer::with(&["--otlp-endpoint", &endpoint]);
    let stranger = server.stranger();
    let request = stranger.request(Method::GET, endpoint::ME).header("traceparent", TRACEPARENT);
    assert_eq!(stranger.ask(request).await.status, 204);
    // Waiting spans are sent when the node ends.
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));

    let (uri, body) = in_time("traces", received.recv()).await.unwrap();
    assert_eq!(uri.path(), "/v1/traces");
    for part in [&b"duplex"[..], b"request", endpoint::ME.as_bytes(), &TRACE, &CALLER] {
        assert!(contains(&body, part), "{part:?} is not in {body:?}");
    }
}

#[tokio::test]
async fn an_unreachable_collector_loses_only_the_traces() {
    let nobody = Port::free();
    let endpoint = format!("http://{}", nobody.address());
    let mut server = TestServer::with(&["--otlp-endpoint", &endpoint]);
    let ada = server.guest("Ada").await;
    ada.publish("topic", "k1", "hello").await;
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(server.stderr().contains("will be lost"), "{}", server.stderr());
}
