//! Behind a proxy: limits count who asked it, and nobody else can say who they are.

use reqwest::Method;
use serde_json::json;
use shared::{ErrorCode, endpoint};
use tempfile::TempDir;

use crate::http::start::{in_folder, refuses, start};
use crate::support::{Answer, Socket, TestServer};

async fn guest_from(server: &TestServer, forwarded_for: &str) -> Answer {
    let nobody = server.stranger();
    let request = nobody.request(Method::POST, endpoint::ME).json(&json!({ "name": "Guest" }));
    nobody.ask(request.header("x-forwarded-for", forwarded_for)).await
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_rate() {
    let server = TestServer::with(&["--trusted-proxy", "127.0.0.0/8,::1", "--address-accounts-per-min", "1"]);
    for (client, statuses) in [("192.0.2.1", [201, 201, 429]), ("192.0.2.2", [201, 201, 429])] {
        for status in statuses {
            assert_eq!(guest_from(&server, client).await.status, status, "{client}");
        }
    }
    assert_eq!(guest_from(&server, "203.0.113.9, 192.0.2.1").await.status, 429, "the end is what counts");
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_sockets() {
    let server = TestServer::with(&["--trusted-proxy", "127.0.0.1", "--address-readers-max", "1"]);
    let ada = server.guest("Ada").await;
    let mut open = Vec::new();
    for client in ["192.0.2.1", "192.0.2.2"] {
        let told = [("x-forwarded-for", client)];
        open.push(Socket::open(&ada, &told).await.expect("the first of its address"));
        ada.handshake(&told).await.is_refused(ErrorCode::TooMany, &["address"]);
    }
    for socket in &mut open {
        socket.hears_welcome().await;
    }
}

#[tokio::test]
async fn without_one_nobody_can_say_that_they_are_somebody_else() {
    let server = TestServer::with(&["--address-accounts-per-min", "1"]);
    let mut statuses = Vec::new();
    for client in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        statuses.push(guest_from(&server, client).await.status);
    }
    assert_eq!(statuses, [201, 201, 429]);
}

#[tokio::test]
async fn connections_of_a_proxy_are_not_counted_as_those_of_one_address() {
    let flags = ["--trusted-proxy", "127.0.0.1", "--address-connections-max", "2"];
    let server = TestServer::with(&flags);
    let mut open = Vec::new();
    for _ in 0..6 {
        open.push(tokio::net::TcpStream::connect(server.address()).await.unwrap());
    }
    assert_eq!(server.stranger().get(endpoint::ME).await.status, 204);
}

#[tokio::test]
async fn where_the_proxy_speaks_tls_cookies_and_answers_are_those_of_tls() {
    let server = TestServer::with(&["--tls", "proxy", "--trusted-proxy", "127.0.0.1"]);
    let made = guest_from(&server, "192.0.2.1").await;
    let cookie = made.header("set-cookie");
    assert!(cookie.starts_with("__Host-duplex=") && cookie.contains("Secure"), "{cookie}");
    assert!(made.header("strict-transport-security").starts_with("max-age="));
}

#[tokio::test]
async fn a_proxy_on_the_same_machine_passes_the_name_on_under_which_the_node_is_known() {
    let server = TestServer::with(&["--tls", "proxy", "--trusted-proxy", "127.0.0.1"]);
    let nobody = server.stranger();
    for (origin, status) in [("https://www.example.org", 201), ("https://evil.example", 403)] {
        let request = nobody.request(Method::POST, endpoint::ME).json(&json!({ "name": "Guest" }));
        let passed_on = request.header("host", "www.example.org").header("origin", origin);
        assert_eq!(nobody.ask(passed_on).await.status, status, "{origin}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_known_is_one_line_that_says_what_to_give() {
    let folder = TempDir::new().unwrap();
    let output = start(|command| _ = in_folder(command, &folder).args(["--tls", "proxy"])).await;
    refuses(&output, "--trusted-proxy");
    let nonsense = ["--trusted-proxy", "everywhere"];
    let output = start(|command| _ = in_folder(command, &folder).args(nonsense)).await;
    refuses(&output, "10.0.0.0/8");
}
