//! What holds for every address: odd paths, OPTIONS, pages of other hosts, compression, and HTTP/1.1 as it is spoken.

use reqwest::Method;
use shared::{ErrorCode, endpoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{TestServer, in_time};

/// Sends this as it stands, and reads until the server closes.
async fn raw(server: &TestServer, bytes: &str) -> String {
    let mut connection = TcpStream::connect(server.address()).await.unwrap();
    connection.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    in_time("the server closes", connection.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn request(line: &str, connection: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: {connection}\r\n\r\n")
}

#[tokio::test]
async fn a_path_that_hides_a_slash_a_step_or_a_null_byte_is_not_found() {
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
        let answer = raw(&server, &request(&format!("GET {path}"), "close")).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(answer.contains("x-request-id: "), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_request_names_one_host() {
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
            let answer = raw(&server, &format!("GET {path} {head}\r\nConnection: close\r\n\r\n")).await;
            assert_eq!(answer.get(8..12), Some(" 400"), "{path} {head}: {answer}");
            assert!(answer.contains("application/problem+json"), "{path} {head}: {answer}");
        }
    }
    let old = raw(&server, &format!("GET {} HTTP/1.0\r\n\r\n", endpoint::ME)).await;
    assert!(old.starts_with("HTTP/1.0 204"), "{old}");
}

#[tokio::test]
async fn what_is_no_path_at_all_is_refused_by_the_reader_of_heads() {
    let server = TestServer::start();
    for line in ["GET /a\0b", "GET /a b", "GET", "G\u{e4}T /"] {
        let answer = raw(&server, &request(line, "close")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{line:?}: {answer}");
    }
}

#[tokio::test]
async fn options_tells_the_methods_of_an_address() {
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
async fn only_pages_of_the_hosts_that_were_named_may_read_answers() {
    let server = TestServer::with(&["--allow-origin", "https://app.example.org"]);
    let nobody = server.stranger();
    let from = |origin: &str, method| nobody.request(method, endpoint::ME).header("origin", origin);
    let told = nobody.ask(from("https://app.example.org", Method::GET)).await;
    assert_eq!(told.header("access-control-allow-origin"), "https://app.example.org");
    assert_eq!(told.header("access-control-allow-credentials"), "true");
    let refused = nobody.ask(from("https://app.example.org", Method::PUT)).await;
    assert_eq!(
        (refused.status, refused.header("access-control-allow-origin")),
        (405, "https://app.example.org")
    );
    let foreign = nobody.ask(from("https://example.org", Method::GET)).await;
    assert_eq!(foreign.header("access-control-allow-origin"), "");

    let asks = from("https://app.example.org", Method::OPTIONS)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,idempotency-key");
    let may = nobody.ask(asks).await;
    assert!(may.header("access-control-allow-methods").contains("POST"), "{:?}", may.headers);
    assert!(may.header("access-control-allow-headers").contains("idempotency-key"), "{:?}", may.headers);
    assert_eq!(may.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn options_that_is_no_preflight_is_answered_as_without_a_list() {
    let server = TestServer::with(&["--allow-origin", "https://app.example.org"]);
    let nobody = server.stranger();
    let origin = ("origin", "https://app.example.org");
    for headers in [&[][..], &[origin], &[("access-control-request-method", "POST")]] {
        let asks = |path| {
            let request = nobody.request(Method::OPTIONS, path);
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
        };
        let told = nobody.ask(asks(endpoint::ME)).await;
        assert_eq!((told.status, told.header("allow")), (204, "GET,HEAD,POST,DELETE"), "{headers:?}");
        assert_eq!(told.header("x-content-type-options"), "nosniff");
        assert!(!told.header("x-request-id").is_empty());
        nobody.ask(asks("/api/nothing")).await.is_refused(ErrorCode::NotFound, &["address"]);
    }
}

#[tokio::test]
async fn without_a_list_no_other_page_may_read_anything() {
    let nobody = TestServer::start();
    let nobody = nobody.stranger();
    for method in [Method::GET, Method::OPTIONS] {
        let request = nobody.request(method, endpoint::ME).header("origin", "https://example.org");
        let answer = nobody.ask(request.header("access-control-request-method", "POST")).await;
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
    }
}

#[tokio::test]
async fn pages_of_events_are_compressed_for_who_takes_it_and_streams_never() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publishes("topic", "k", &"again and ".repeat(200)).await;
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
async fn requests_that_were_sent_ahead_are_answered_in_their_order_on_one_connection() {
    let server = TestServer::start();
    let both = request("GET /api/no/such", "keep-alive") + &request("HEAD /", "keep-alive");
    let answer = raw(&server, &(both + &request("GET /api/me", "close"))).await;
    let statuses: Vec<&str> =
        answer.match_indices("HTTP/1.1 ").map(|(at, _)| &answer[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["404", "200", "204"], "{answer}");
    assert!(!answer.contains("<html"), "HEAD has no body: {answer}");
}
