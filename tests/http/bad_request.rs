//! Bad input in a path, a query or a method: it is refused with a reason that names the field.

use reqwest::Method;
use serde_json::json;
use shared::{ErrorCode, endpoint};

use crate::support::TestServer;

const EVENTS: &str = "/api/topics/probe:topic/events";

#[tokio::test]
async fn a_query_that_breaks_a_rule_is_invalid() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    for (query, field) in [
        ("after=x", "after"),
        ("after=", "after"),
        ("after=-1", "after"),
        ("after=1.5", "after"),
        ("after=18446744073709551616", "after"),
        ("before=x", "before"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=10000", "limit"),
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("limit=4294967297", "limit"),
        ("after=1&before=9", "before"),
        ("epoch=", "epoch"),
        ("epoch=%20", "epoch"),
        ("epoch=abcdefghijklmnopqrstuvwxyz0123456", "epoch"),
    ] {
        let problem =
            ada.get(&format!("{EVENTS}?{query}")).await.is_refused(ErrorCode::Invalid, &[field, "must"]);
        assert_eq!(problem.errors[0].field, field, "{query}");
    }
}

#[tokio::test]
async fn an_unknown_field_in_a_query_is_ignored() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    assert_eq!(ada.get(&format!("{EVENTS}?of=tomorrow&limit=5")).await.status, 200);
}

#[tokio::test]
async fn a_topic_that_violates_the_grammar_is_invalid() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let long = format!("probe:{}", "x".repeat(64));
    for topic in
        ["probe", "probe:", ":topic", "probe:Topic", "probe:-topic", "probe:a:b", "probe:r%C3%BCm", &long]
    {
        let problem =
            ada.get(&format!("/api/topics/{topic}/events")).await.is_refused(ErrorCode::Invalid, &["topic"]);
        assert_eq!(problem.errors[0].field, "topic", "{topic}");
    }
    ada.get("/api/topics/probe:%ff/events").await.is_refused(ErrorCode::Invalid, &[]);
    ada.try_publish("Topic", "key", "x").await.is_refused(ErrorCode::Invalid, &["name"]);
}

#[tokio::test]
async fn an_unknown_namespace_is_not_found_and_a_forbidden_topic_is_forbidden() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.get("/api/topics/nowhere:topic/events").await.is_refused(ErrorCode::NotFound, &["nowhere"]);
    ada.get("/api/topics/probe:private-topic/events").await.is_refused(ErrorCode::Forbidden, &["topic"]);
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    for path in
        ["/api", "/api/", "/api/nothing", "/api/me/", "/api/topics/probe:topic", "/api/probe/topic/other"]
    {
        ada.get(path).await.is_refused(ErrorCode::NotFound, &["address"]);
        let html = ada.request(Method::GET, path).header("accept", "text/html");
        ada.ask(html).await.is_refused(ErrorCode::NotFound, &["address"]);
    }
    ada.post("/api/nothing", &json!({})).await.is_refused(ErrorCode::NotFound, &["address"]);
}

#[tokio::test]
async fn a_wrong_method_gets_the_list_of_allowed_ones() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    for (method, path, allowed) in [
        (Method::PUT, endpoint::ME, "GET,HEAD,POST,DELETE"),
        (Method::POST, EVENTS, "GET,HEAD"),
        (Method::DELETE, EVENTS, "GET,HEAD"),
        (Method::GET, "/api/probe/topic/events", "POST"),
        (Method::TRACE, endpoint::ME, "GET,HEAD,POST,DELETE"),
        (Method::POST, endpoint::SOCKET, "GET,HEAD,CONNECT"),
        (Method::PATCH, "/api/probe/topic/events", "POST"),
    ] {
        let answer = ada.ask(ada.request(method.clone(), path)).await;
        answer.is_refused(ErrorCode::MethodNotAllowed, &["method"]);
        let sorted = |list: &str| {
            let mut methods: Vec<String> = list.split(',').map(|method| method.trim().to_owned()).collect();
            methods.sort();
            methods
        };
        assert_eq!(sorted(answer.header("allow")), sorted(allowed), "{method} {path}");
    }
}

#[tokio::test]
async fn a_request_to_the_socket_without_a_handshake_gets_426() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    for method in [Method::GET, Method::HEAD] {
        let answer = ada.ask(ada.request(method.clone(), endpoint::SOCKET)).await;
        assert_eq!(answer.status, 426, "{method}");
        if method != Method::HEAD {
            answer.is_refused(ErrorCode::UpgradeRequired, &["WebSocket"]);
        }
    }
    let old = ada.handshake(&[("sec-websocket-version", "7")]).await;
    old.is_refused(ErrorCode::UpgradeRequired, &["WebSocket"]);
    assert_eq!((old.header("upgrade"), old.header("connection")), ("websocket", "upgrade"));
}

#[tokio::test]
async fn a_stranger_gets_401_before_anything_else_is_checked() {
    let server = TestServer::start();
    let nobody = server.stranger();
    let answers = [
        nobody.get(&format!("{EVENTS}?limit=0")).await,
        nobody.get("/api/topics/Nonsense/events").await,
        nobody.post("/api/probe/Topic/events", &json!(7)).await,
        nobody.handshake(&[]).await,
        nobody.get(endpoint::SOCKET).await,
    ];
    for answer in answers {
        answer.is_refused(ErrorCode::Unauthenticated, &["POST /api/me"]);
    }
}

#[tokio::test]
async fn a_path_or_head_that_is_far_too_long_is_refused_and_the_server_keeps_running() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let endless = ada.ask(ada.request(Method::GET, "/api/me").header("x-endless", "x".repeat(1_000_000)));
    let many = (0..500).fold(ada.request(Method::GET, "/api/me"), |request, number| {
        request.header(format!("x-header-{number}"), "x")
    });
    assert_eq!(endless.await.status, 431);
    assert_eq!(ada.ask(many).await.status, 431);
    assert_eq!(ada.get(&format!("/api/{}", "x".repeat(10_000))).await.status, 404);
    assert_eq!(ada.get(endpoint::ME).await.status, 200);
}
