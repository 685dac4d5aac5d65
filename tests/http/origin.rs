//! Origin and Host: other sites' pages cannot use a person's cookie.

use reqwest::Method;
use serde_json::json;
use shared::{ErrorCode, endpoint};

use crate::support::{Person, TestResponse, TestServer, probe, raw_http};

/// Sends a publish, a rename and a handshake with these headers: everything that another site's page might try.
async fn attempt_all(ada: &Person, headers: &[(&'static str, &str)]) -> [TestResponse; 3] {
    let publish = ada.draft("topic", "key", "x");
    let rename = ada.request(Method::POST, endpoint::ME).json(&json!({ "name": "Ada" }));
    let with = |request: reqwest::RequestBuilder| {
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    [ada.ask(with(publish)).await, ada.ask(with(rename)).await, ada.handshake(headers).await]
}

async fn assert_pass(ada: &Person, headers: &[(&'static str, &str)]) {
    for answer in attempt_all(ada, headers).await {
        assert!(answer.status < 300, "{headers:?}: {} {}", answer.status, answer.text());
    }
}

async fn assert_refused(ada: &Person, headers: &[(&'static str, &str)], field: &str) {
    for answer in attempt_all(ada, headers).await {
        assert_eq!(answer.status, 403, "{headers:?}");
        answer.is_refused(ErrorCode::Forbidden, &[field]);
    }
}

#[tokio::test]
async fn the_nodes_own_origin_and_scripts_are_accepted() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    assert_pass(&ada, &[]).await;
    assert_pass(&ada, &[("origin", &server.url())]).await;
    assert_pass(&ada, &[("sec-fetch-site", "same-origin")]).await;
    assert_pass(&ada, &[("sec-fetch-site", "none")]).await;
    assert_pass(&ada, &[("origin", &server.url()), ("sec-fetch-site", "cross-site")]).await;
}

#[tokio::test]
async fn a_node_on_loopback_accepts_every_loopback_origin() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    for origin in ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"] {
        assert_pass(&ada, &[("origin", origin)]).await;
    }
}

#[tokio::test]
async fn foreign_origins_are_refused_and_change_nothing() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let lookalike = format!("{}.example.org", server.url());
    for origin in ["https://example.org", "null", "", "http://localhost.example.org", "file://", &lookalike] {
        assert_refused(&ada, &[("origin", origin)], "Origin").await;
    }
    for site in ["cross-site", "same-site"] {
        assert_refused(&ada, &[("sec-fetch-site", site)], "Origin").await;
    }
    assert_eq!(ada.head(&probe("topic")).await.0, 0);
}

#[tokio::test]
async fn a_foreign_origin_may_not_sign_anybody_in_or_out() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let foreign = |method| ada.request(method, endpoint::ME).header("origin", "https://example.org");
    for request in [foreign(Method::DELETE), foreign(Method::POST).json(&json!({ "name": "Eve" }))] {
        ada.ask(request).await.is_refused(ErrorCode::Forbidden, &["Origin"]);
    }
    assert_eq!(ada.get(endpoint::ME).await.status, 200);
}

#[tokio::test]
async fn reading_needs_no_origin() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let request = ada.request(Method::GET, endpoint::ME).header("origin", "https://example.org");
    let answer = ada.ask(request).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, ""),
        "no page of another site may read it"
    );
}

#[tokio::test]
async fn an_allowed_origin_is_accepted_and_only_that_one() {
    let allowed = ["--allow-origin", "https://app.example.org,https://Other.example.org:8443"];
    let server = TestServer::with(&allowed);
    let ada = server.guest("Ada").await;
    assert_pass(&ada, &[("origin", "https://app.example.org")]).await;
    assert_pass(&ada, &[("origin", "https://other.example.org:8443")]).await;
    for origin in ["https://example.org", "http://app.example.org", "https://app.example.org:444"] {
        assert_refused(&ada, &[("origin", origin)], "Origin").await;
    }
}

#[tokio::test]
async fn a_node_on_loopback_refuses_foreign_hosts() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    for host in ["example.org", "localhost.example.org:3000", "10.0.0.1"] {
        assert_refused(&ada, &[("host", host)], "Host").await;
        let page = ada.ask(ada.request(Method::GET, "/").header("host", host)).await;
        page.is_refused(ErrorCode::Forbidden, &["Host"]);
    }
    for host in ["localhost", "localhost:8080", "127.0.0.1", "[::1]:3000"] {
        let answer = ada.ask(ada.request(Method::GET, endpoint::ME).header("host", host)).await;
        assert_eq!(answer.status, 200, "{host}");
    }
}

#[tokio::test]
async fn a_host_in_the_request_line_overrides_the_header() {
    let server = TestServer::start();
    let head = "GET http://example.org/api/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = raw_http::exchange(server.address(), head).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn a_node_on_all_addresses_accepts_any_host_and_only_its_own_origin() {
    let server = TestServer::on_all_addresses();
    let ada = server.guest("Ada").await;
    assert_pass(&ada, &[("host", "www.example.org"), ("origin", "https://www.example.org")]).await;
    for origin in ["https://example.org", "http://localhost:8080", "null"] {
        assert_refused(&ada, &[("host", "www.example.org"), ("origin", origin)], "Origin").await;
    }
}
