//! Security headers: every answer has them.

use reqwest::Method;
use shared::endpoint;

use crate::support::{TestResponse, TestServer};

const ALWAYS: [(&str, &str); 8] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("x-permitted-cross-domain-policies", "none"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

async fn answers(server: &TestServer) -> Vec<TestResponse> {
    let nobody = server.stranger();
    let mut answers = Vec::new();
    for path in ["/", endpoint::ME, "/api/no/such", "/no/such.file", endpoint::SOCKET] {
        answers.push(nobody.get(path).await);
    }
    for method in [Method::PUT, Method::OPTIONS] {
        answers.push(nobody.ask(nobody.request(method, endpoint::ME)).await);
    }
    answers
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    for answer in answers(&TestServer::start()).await {
        for (name, value) in ALWAYS {
            assert_eq!(answer.header(name), value, "{} of {}", name, answer.status);
        }
        assert_eq!(answer.header("strict-transport-security"), "", "there is no TLS to require");
    }
}

#[tokio::test]
async fn every_answer_has_the_date_of_the_node() {
    for answer in answers(&TestServer::start()).await {
        assert!(answer.header("date").ends_with(" GMT"), "{} of {}", answer.header("date"), answer.status);
    }
}

#[tokio::test]
async fn a_page_may_run_only_its_own_scripts_and_other_answers_none() {
    for answer in answers(&TestServer::start()).await {
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        let is_page = answer.header("content-type").starts_with("text/html");
        assert_eq!(policy.contains("script-src"), is_page, "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
    }
}

#[tokio::test]
async fn an_answer_is_not_cached_unless_it_says_so() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    for (path, cache_control) in [
        (endpoint::ME, "no-store"),
        ("/api/no/such", "no-store"),
        (endpoint::SOCKET, "no-store"),
        ("/api/topics/probe:topic/events?limit=0", "no-store"),
        ("/api/topics/probe:topic/events", "private, no-cache"),
        ("/", "no-cache"),
    ] {
        assert_eq!(ada.get(path).await.header("cache-control"), cache_control, "{path}");
    }
    assert_eq!(ada.try_publish("topic", "k", "x").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn signing_out_clears_the_browsers_cache() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let foreign = ada.request(Method::DELETE, endpoint::ME).header("origin", "https://example.org");
    assert_eq!(ada.ask(foreign).await.header("clear-site-data"), "", "a request of another site's page");
    assert_eq!(ada.get(endpoint::ME).await.header("clear-site-data"), "");
    let signed_out = ada.delete(endpoint::ME).await;
    assert_eq!((signed_out.status, signed_out.header("clear-site-data")), (204, "\"cache\""));
}
