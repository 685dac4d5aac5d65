//! Fuzzes requests that publish: the router never fails by itself, a refusal is a complete problem, and an acknowledged
//! event can be read, and is acknowledged again when the request is repeated.
//!
//! The input is a request: the part of its path that names the topic, a line for each header, an empty line, the body.

#![no_main]

mod accounts;
#[path = "../support/probe/feature.rs"]
mod feature;
#[path = "../support/memory_log.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod memory_log;
mod node;
#[path = "../support/response.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod response;

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, Request};
use http_body_util::BodyExt;
use libfuzzer_sys::{Corpus, fuzz_target};
use realtime::Node;
use server::http::guard::budget::Budget;
use server::http::guard::client_ip::Proxies;
use server::http::guard::origin::Origins;
use server::http::guard::page_turns::PageTurns;
use server::http::guard::rates::Rates;
use server::http::{AppParts, AppState, ClientFiles};
use server::limits::Limits;
use server::memory::Memory;
use server::net::Transport;
use server::telemetry::edge_metrics::EdgeMetrics;
use shared::{Ack, EventPage, Part, Seq, endpoint};
use tower::ServiceExt;

use crate::accounts::AnyToken;
use crate::response::TestResponse;

fuzz_target!(|input: &[u8]| -> Corpus {
    // The HTTP library rejects other inputs before they reach the router.
    if request(input).is_none() {
        return Corpus::Reject;
    }
    node::run(ask(input));
    Corpus::Keep
});

async fn ask(input: &[u8]) {
    let limits = node::limits();
    let node = node::start(&limits);
    let router = router(node.clone(), limits);
    let first = answer(&router, input).await;
    if first.status == 201 {
        let acked: Ack = first.json();
        assert_can_be_read(&router, &acked).await;
        let again = answer(&router, input).await;
        assert_eq!((again.status, again.json::<Ack>()), (200, acked));
    } else {
        assert!(first.status >= 400, "{}: nothing was published", first.status);
        assert!(first.status < 500 || first.status == 503, "{}", first.text());
        first.problem();
    }
    node.stop().await;
}

async fn assert_can_be_read(router: &Router, acked: &Ack) {
    let path = endpoint::events(&acked.topic, Part::After(Seq(acked.seq.0 - 1)), None, 1);
    let request = Request::get(path).header("host", "localhost").header("cookie", "duplex-3000=ada");
    let answer = send(router, request.body(Body::empty()).expect("a complete request")).await;
    if acked.topic.name().starts_with("private-") {
        answer.problem();
        return;
    }
    let page: EventPage = answer.json();
    assert_eq!(page.events.first().map(|event| event.seq), Some(acked.seq));
}

async fn answer(router: &Router, input: &[u8]) -> TestResponse {
    send(router, request(input).expect("the same input was a request before")).await
}

async fn send(router: &Router, request: Request<Body>) -> TestResponse {
    let Ok(response) = router.clone().oneshot(request).await;
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("answers are complete").to_bytes();
    TestResponse { status: head.status.as_u16(), headers: head.headers, body }
}

fn request(input: &[u8]) -> Option<Request<Body>> {
    let end = input.windows(2).position(|two| two == b"\n\n")?;
    let head = &input[..end];
    let body = &input[end + 2..];
    let mut lines = head.split(|byte| *byte == b'\n');
    let name = std::str::from_utf8(lines.next()?).ok()?;
    let mut request = Request::post(format!("/api/probe/{name}/events"));
    for line in lines {
        let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':')?);
        let name = HeaderName::from_bytes(name).ok()?;
        // A compressed answer could not be checked.
        if name != axum::http::header::ACCEPT_ENCODING {
            request = request.header(name, value[1..].trim_ascii());
        }
    }
    request.body(Body::from(body.to_vec())).ok()
}

fn router(node: Arc<Node>, limits: Limits) -> Router {
    let state = AppState::new(AppParts {
        node,
        accounts: Arc::new(AnyToken),
        origins: Arc::new(Origins::new(Vec::new(), None, Ipv4Addr::LOCALHOST.into(), Transport::Plain)),
        proxies: Proxies::new(Vec::new()),
        client_files: Arc::new(ClientFiles::built_in()),
        rates: Rates::new(&limits),
        budget: Budget::new(
            limits.address_bytes_max(None),
            limits.node_bytes_max(None),
            EdgeMetrics::default(),
        ),
        memory: Memory::default(),
        page_turns: PageTurns::default(),
        metrics: EdgeMetrics::default(),
        limits,
        clock: node::clock,
        leaving: false.into(),
        draining: false.into(),
        transport: Transport::Plain,
        port: 3000,
        check_locks: Box::new(|| Ok(())),
    });
    server::http::router(state, vec![feature::feature()])
}
