//! Equivalent spellings of hosts, lists in headers, numbers, keys and names. Proxies, browsers and other apps use
//! different ones.

use reqwest::Method;
use serde_json::json;
use shared::{ErrorCode, endpoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Person, TestResponse, TestServer, in_time, probe, raw_http};

/// Sends the lines of a head as they are. Returns everything that the server answers until it closes the connection.
async fn send_head(server: &TestServer, lines: &[&[u8]]) -> String {
    raw_http::exchange(server.address(), [&lines.join(&b"\r\n"[..]), &b"\r\n\r\n"[..]].concat()).await
}

async fn rename(ada: &Person, host: &str, origin: &str) -> TestResponse {
    let request = ada.request(Method::POST, endpoint::ME).json(&json!({ "name": "Ada" }));
    ada.ask(request.header("host", host).header("origin", origin)).await
}

#[tokio::test]
async fn equivalent_spellings_of_a_host_are_the_same_host() {
    let server = TestServer::with(&["--tls", "proxy", "--trusted-proxy", "127.0.0.1"]);
    let ada = server.guest("Ada").await;
    for (host, origin) in [
        ("www.example.org:443", "https://www.example.org"),
        ("www.example.org", "https://www.example.org:443"),
        ("WWW.example.org.", "https://www.example.org"),
        ("[2001:db8::7]:8443", "https://[2001:db8:0::7]:8443"),
        // The form in which nginx forwards `$host`.
        ("www.example.org", "https://www.example.org:8443"),
    ] {
        assert_eq!(rename(&ada, host, origin).await.status, 200, "{host} {origin}");
    }
    for (host, origin) in [
        ("www.example.org:3000", "https://www.example.org:8443"),
        ("www.example.org", "https://example.org"),
        ("www.example.org", "http://www.example.org"),
    ] {
        rename(&ada, host, origin).await.is_refused(ErrorCode::Forbidden, &["Origin"]);
    }
}

#[tokio::test]
async fn a_missing_port_is_accepted_only_from_a_trusted_proxy_and_the_refusal_says_what_to_change() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let refused = rename(&ada, "localhost", "https://www.example.org:8443").await;
    let problem = refused.is_refused(ErrorCode::Forbidden, &["https://www.example.org:8443", "localhost"]);
    for line in
        ["proxy_set_header Host $http_host;", "--public-url https://www.example.org:8443", "--allow-origin"]
    {
        assert!(problem.detail.contains(line), "{line} is missing in {}", problem.detail);
    }
}

#[tokio::test]
async fn the_public_address_is_accepted_as_host_and_as_origin() {
    let server = TestServer::with(&["--public-url", "https://abc.tunnel.example/"]);
    let ada = server.guest("Ada").await;
    for host in ["abc.tunnel.example", "abc.tunnel.example:443", "localhost:3000"] {
        assert_eq!(rename(&ada, host, "https://abc.tunnel.example").await.status, 200, "{host}");
    }
    let foreign = rename(&ada, "evil.example", "https://evil.example").await;
    let problem = foreign.is_refused(ErrorCode::Forbidden, &["evil.example"]);
    assert!(problem.detail.contains("--public-url"), "{}", problem.detail);
    let opened =
        ada.handshake(&[("origin", "https://abc.tunnel.example"), ("host", "abc.tunnel.example")]).await;
    assert_eq!(opened.status, 101);
}

#[tokio::test]
async fn a_cookie_of_another_app_signs_nobody_out() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let cookie = ada.cookie.clone().unwrap();
    for line in [
        [b"Cookie: city=M\xfcnchen; ", cookie.as_bytes()].concat(),
        [b"Cookie: ", cookie.as_bytes(), "; city=München".as_bytes()].concat(),
        [b"Cookie: a=\"; ", cookie.as_bytes()].concat(),
        [b"Cookie: \xff\r\nCookie: ", cookie.as_bytes()].concat(),
    ] {
        let answer =
            send_head(&server, &[b"GET /api/me HTTP/1.1", b"Host: localhost", b"Connection: close", &line])
                .await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{}: {answer}", String::from_utf8_lossy(&line));
    }
}

#[tokio::test]
async fn an_upgrade_is_found_in_any_connection_header() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let cookie = format!("Cookie: {}", ada.cookie.clone().unwrap());
    let handshake: [&[u8]; 8] = [
        b"GET /socket HTTP/1.1",
        b"Host: localhost",
        b"Connection: keep-alive",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        cookie.as_bytes(),
    ];
    let mut connection = TcpStream::connect(server.address()).await.unwrap();
    connection.write_all(&[&handshake.join(&b"\r\n"[..]), &b"\r\n\r\n"[..]].concat()).await.unwrap();
    let mut status = [0; 12];
    in_time("the server answers", connection.read_exact(&mut status)).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&status), "HTTP/1.1 101");
}

/// A layer that refuses must do so before the handler runs. Here each handler runs, whatever the answer's encoding.
#[tokio::test]
async fn no_accept_encoding_prevents_a_request_from_being_handled() {
    let server = TestServer::start();
    let topic = probe("topic");
    let ada = server.guest("Ada").await;
    for coding in ["identity;q=0", "*;q=0", "identity;q=0, *;q=0", "br;q=0, identity;q=0", "nonsense"] {
        let made = server.stranger();
        let request = made.request(Method::POST, endpoint::ME).json(&json!({ "name": "Guest" }));
        assert_eq!(made.ask(request.header("accept-encoding", coding)).await.status, 201, "{coding}");
        let publish = ada.draft("topic", coding.len().to_string().as_str(), "x");
        assert!(ada.ask(publish.header("accept-encoding", coding)).await.status < 300, "{coding}");
    }
    assert!(ada.head(&topic).await.0 > 0);
    let request = ada.request(Method::DELETE, endpoint::ME).header("accept-encoding", "identity;q=0");
    assert_eq!(ada.ask(request).await.status, 204);
    assert_eq!(ada.get(endpoint::ME).await.status, 204, "she is signed out");
}

#[tokio::test]
async fn a_number_has_only_digits_and_a_field_is_given_once() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    ada.publish("topic", "k", "x").await;
    let events = |query: &str| format!("/api/topics/probe:topic/events?{query}");
    for (query, field) in [
        ("after=%2B0", "after"),
        ("after=+0", "after"),
        ("limit=%2B5", "limit"),
        ("limit=", "limit"),
        ("heard=-1", "heard"),
        ("after=0&after=1", "after"),
        ("limit=5&limit=6", "limit"),
        ("epoch=a&epoch=b", "epoch"),
    ] {
        let problem = ada.get(&events(query)).await.is_refused(ErrorCode::Invalid, &[field]);
        assert_eq!(problem.errors[0].field, field, "{query}");
    }
    assert_eq!(ada.get(&events("after=0&limit=500")).await.status, 200);
    let twice = ada.get("/api/me?for=socket&for=socket").await;
    twice.is_refused(ErrorCode::Invalid, &["for", "once"]);
}

#[tokio::test]
async fn a_key_in_quotes_is_the_same_key() {
    let server = TestServer::start();
    let ada = server.guest("Ada").await;
    let publish = |key: &str| {
        let request = ada.request(Method::POST, "/api/probe/topic/events").json(&json!({ "text": "x" }));
        request.header(endpoint::IDEMPOTENCY_KEY, key)
    };
    assert_eq!(ada.ask(publish("\"k1\"")).await.status, 201);
    assert_eq!(ada.ask(publish("k1")).await.status, 200, "the event exists");
}

#[tokio::test]
async fn composed_and_decomposed_names_are_the_same_name() {
    let server = TestServer::start();
    let ada = server.guest("Zoe\u{308} A\u{30a}").await;
    assert_eq!(ada.identity.name.as_str(), "Zo\u{eb} \u{c5}");
    let renamed = ada.post(endpoint::ME, &json!({ "name": "\u{212b}ngstro\u{308}m" })).await;
    assert_eq!(renamed.json::<shared::Identity>().name.as_str(), "\u{c5}ngstr\u{f6}m");
}

#[tokio::test]
async fn the_etag_of_a_page_that_a_proxy_recompressed_still_matches() {
    let server = TestServer::start();
    let stranger = server.stranger();
    let page = |tag: Option<String>| {
        let request = stranger.request(Method::GET, "/").header("accept", "text/html");
        match tag {
            Some(tag) => request.header("if-none-match", tag),
            None => request,
        }
    };
    let tag = stranger.ask(page(None)).await.header("etag").to_owned();
    let inner = tag.trim_start_matches("W/").trim_matches('"').to_owned();
    for known in
        [tag, format!("\"{inner}-gzip\""), format!("W/\"{inner};br\""), format!("W/\"{inner}\"-gzip")]
    {
        assert_eq!(stranger.ask(page(Some(known.clone()))).await.status, 304, "{known}");
    }
    assert_eq!(stranger.ask(page(Some("\"other-gzip\"".into()))).await.status, 200);
}
