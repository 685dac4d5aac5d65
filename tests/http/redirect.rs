//! The second address without TLS: it redirects every request to the address with TLS, and answers nothing else.

use crate::support::{Port, TestServer, raw_http};

fn server(from: &Port) -> TestServer {
    TestServer::with(&["--tls", "self-signed", "--redirect-from", &from.address().to_string()])
}

#[tokio::test]
async fn every_request_is_redirected_to_the_same_path_with_tls_and_keeps_its_method() {
    let from = Port::free();
    let server = server(&from);
    let tls = format!("https://127.0.0.1:{}", server.address().port());
    for target in ["/", "/some/page?after=1&x=%2F", "/api/me", "/metrics"] {
        for method in ["GET", "POST", "DELETE"] {
            let request = format!(
                "{method} {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
                from.address()
            );
            let answer = raw_http::exchange(from.address(), &request).await;
            // After 301 or 302 a client would send a GET.
            assert!(answer.starts_with("HTTP/1.1 308 "), "{method} {target}: {answer}");
            assert!(answer.contains(&format!("\r\nlocation: {tls}{target}\r\n")), "{target}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_request_without_a_valid_host_is_not_redirected() {
    let from = Port::free();
    let _server = server(&from);
    for host in ["", "Host: a b\r\n", "Host: \r\n"] {
        let answer =
            raw_http::exchange(from.address(), format!("GET / HTTP/1.1\r\n{host}Connection: close\r\n\r\n"))
                .await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{host:?}: {answer}");
        assert!(!answer.contains("location"), "{host:?}: {answer}");
    }
}
