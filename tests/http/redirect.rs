//! The second, plain address: it sends everybody to the one that speaks TLS, and answers nothing else.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Port, TestServer, in_time};

fn server(from: &Port) -> TestServer {
    TestServer::with(&["--tls", "self-signed", "--redirect-from", &from.address().to_string()])
}

/// Sends this, and returns the whole answer. No client follows, and none refuses to send what is malformed.
async fn says(to: &Port, request: &str) -> String {
    let mut connection = TcpStream::connect(to.address()).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    in_time("the answer", connection.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn every_request_is_sent_to_the_same_path_under_tls_and_keeps_its_method() {
    let from = Port::free();
    let server = server(&from);
    let tls = format!("https://127.0.0.1:{}", server.address().port());
    for target in ["/", "/some/page?after=1&x=%2F", "/api/me", "/metrics"] {
        for method in ["GET", "POST", "DELETE"] {
            let request = format!(
                "{method} {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
                from.address()
            );
            let answer = says(&from, &request).await;
            // 301 and 302 would make a GET of it.
            assert!(answer.starts_with("HTTP/1.1 308 "), "{method} {target}: {answer}");
            assert!(answer.contains(&format!("\r\nlocation: {tls}{target}\r\n")), "{target}: {answer}");
        }
    }
}

#[tokio::test]
async fn who_names_no_host_is_sent_nowhere() {
    let from = Port::free();
    let _server = server(&from);
    for host in ["", "Host: a b\r\n", "Host: \r\n"] {
        let answer = says(&from, &format!("GET / HTTP/1.1\r\n{host}Connection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{host:?}: {answer}");
        assert!(!answer.contains("location"), "{host:?}: {answer}");
    }
}
