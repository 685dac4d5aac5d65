//! Rules for all paths: odd paths, OPTIONS, pages of other hosts, compression, and HTTP/1.1 in practice.

use reqwest::Method;
use shared::{ErrorCode, endpoint};

use crate::support::{TestServer, raw_http};

fn request(line: &str, connection: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: {connection}\r\n\r\n")
}

#[tokio::test]
async fn a_path_with_a_hidden_slash_a_parent_folder_or_a_null_byte_is_not_found() {
    let server = TestServer::start();
    for path in [
        "/../../etc/passwd",
        "/some/../../Cargo.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/..%5c..%5cetc",
        "/index.html%00.js",
        "//etc/passwd",
        "/api/topics/probe:topic%2fevents/events",
        "/api/topics/..%2fme/events",
        "/api/topics/probe:topic%00/events",
        "/api/../api/me",
        "nonsense",
        "*",
    ] {
        let answer = raw_http::exchange(server.address(), request(&format!("GET {path}"), "close")).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(answer.contains("x-request-id: "), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_request_must_name_exactly_one_host() {
    let server = TestServer::on_all_addresses();
    let bad = [
        "HTTP/1.1",
        "HTTP/1.1\r\nHost: localhost\r\nHost: localhost",
        "HTTP/1.1\r\nHost: a b",
        "HTTP/1.1\r\nHost: ada@localhost",
        "HTTP/1.0\r\nHost: localhost\r\nHost: example.org",
    ];
    for path in [endpoint::ME, "/healthz"] {
        for head in bad {
            let answer = raw_http::exchange(
                server.address(),
                format!("GET {path} {head}\r\nConnection: close\r\n\r\n"),
            )
            .await;
            assert_eq!(answer.get(8..12), Some(" 400"), "{path} {head}: {answer}");
            assert!(answer.contains("application/problem+json"), "{path} {head}: {answer}");
        }
    }
    let old = raw_http::exchange(server.address(), format!("GET {} HTTP/1.0\r\n\r\n", endpoint::ME)).await;
    assert!(old.starts_with("HTTP/1.0 204"), "{old}");
}

#[tokio::test]
async fn a_malformed_request_line_gets_400() {
    let server = TestServer::start();
    for line in ["GET /a\0b", "GET /a b", "GET", "G\u{e4}T /"] {
        let answer = raw_http::exchange(server.address(), request(line, "close")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{line:?}: {answer}");
    }
}

#[tokio::test]
async fn options_lists_the_methods_of_a_path() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    for (path, allowed) in [
        (endpoint::ME, "GET,HEAD,POST,DELETE"),
        ("/api/topics/probe:topic/events", "GET,HEAD"),
        ("/api/probe/topic/events", "POST"),
        (endpoint::SOCKET, "GET,HEAD,CONNECT"),
        ("/some/page", "GET, HEAD"),
    ] {
        let answer = ada.ask(ada.request(Method::OPTIONS, path)).await;
        assert_eq!((answer.status, answer.header("allow"), answer.text()), (204, allowed, ""), "{path}");
    }
    let nothing = ada.ask(ada.request(Method::OPTIONS, "/api/nothing")).await;
    nothing.is_refused(ErrorCode::NotFound, &["address"]);
}

#[tokio::test]
async fn only_pages_of_allowed_origins_may_read_answers() {
    let server = TestServer::with(&["--allow-origin", "https://app.example.org"]);
    let nobody = server.stranger();
    let from = |origin: &str, method| nobody.request(method, endpoint::ME).header("origin", origin);
    let answer = nobody.ask(from("https://app.example.org", Method::GET)).await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.org");
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    let refused = nobody.ask(from("https://app.example.org", Method::PUT)).await;
    assert_eq!(
        (refused.status, refused.header("access-control-allow-origin")),
        (405, "https://app.example.org")
    );
    let foreign = nobody.ask(from("https://example.org", Method::GET)).await;
    assert_eq!(foreign.header("access-control-allow-origin"), "");

    let preflight = from("https://app.example.org", Method::OPTIONS)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,idempotency-key");
    let allowed = nobody.ask(preflight).await;
    assert!(allowed.header("access-control-allow-methods").contains("POST"), "{:?}", allowed.headers);
    assert!(
        allowed.header("access-control-allow-headers").contains("idempotency-key"),
        "{:?}",
        allowed.headers
    );
    assert_eq!(allowed.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn options_requests_that_are_not_preflights_list_the_methods() {
    let server = TestServer::with(&["--allow-origin", "https://app.example.org"]);
    let nobody = server.stranger();
    let origin = ("origin", "https://app.example.org");
    for headers in [&[][..], &[origin], &[("access-control-request-method", "POST")]] {
        let options = |path| {
            let request = nobody.request(Method::OPTIONS, path);
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
        };
        let answer = nobody.ask(options(endpoint::ME)).await;
        assert_eq!((answer.status, answer.header("allow")), (204, "GET,HEAD,POST,DELETE"), "{headers:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(!answer.header("x-request-id").is_empty());
        nobody.ask(options("/api/nothing")).await.is_refused(ErrorCode::NotFound, &["address"]);
    }
}

#[tokio::test]
async fn without_allowed_origins_no_other_page_may_read_anything() {
    let nobody = TestServer::start();
    let nobody = nobody.stranger();
    for method in [Method::GET, Method::OPTIONS] {
        let request = nobody.request(method, endpoint::ME).header("origin", "https://example.org");
        let answer = nobody.ask(request.header("access-control-request-method", "POST")).await;
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
    }
}

#[tokio::test]
async fn pages_of_events_are_compressed_if_accepted_and_streams_never() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publish("topic", "k", &"again and ".repeat(200)).await;
    for (accepted, coding) in [("gzip", "gzip"), ("br, gzip", "br"), ("identity", ""), ("gzip;q=0", "")] {
        let request = ada.request(Method::GET, "/api/topics/probe:topic/events");
        let answer = ada.ask(request.header("accept-encoding", accepted)).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, coding), "{accepted}");
        assert_eq!(answer.body.len() < 1_000, !coding.is_empty(), "{accepted}: {} bytes", answer.body.len());
        assert!(
            answer.header("vary").to_lowercase().contains("accept-encoding"),
            "{}",
            answer.header("vary")
        );
    }
    let stream = ada.request(Method::GET, "/api/topics/probe:topic/events").header("accept-encoding", "gzip");
    let stream = stream.header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(stream.headers().get("content-encoding"), None);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = TestServer::start();
    let requests = [
        request("GET /api/no/such", "keep-alive"),
        request("HEAD /", "keep-alive"),
        request("GET /api/me", "close"),
    ];
    let answer = raw_http::exchange(server.address(), requests.concat()).await;
    let statuses: Vec<&str> =
        answer.match_indices("HTTP/1.1 ").map(|(at, _)| &answer[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["404", "200", "204"], "{answer}");
    assert!(!answer.contains("<html"), "HEAD has no body: {answer}");
}
