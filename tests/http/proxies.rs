//! Behind a proxy: limits apply to the proxy's clients, and only a trusted proxy may name them.

use reqwest::Method;
use serde_json::json;
use shared::{ErrorCode, endpoint};
use tempfile::TempDir;

use crate::support::command::{assert_refused, in_folder, run_command};
use crate::support::{Socket, TestResponse, TestServer};

async fn guest_from(server: &TestServer, forwarded_for: &str) -> TestResponse {
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
    assert_eq!(
        guest_from(&server, "203.0.113.9, 192.0.2.1").await.status,
        429,
        "only the last address counts"
    );
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_sockets() {
    let server = TestServer::with(&["--trusted-proxy", "127.0.0.1", "--address-readers-max", "1"]);
    let ada = server.guest("Ada").await;
    let mut open = Vec::new();
    for client in ["192.0.2.1", "192.0.2.2"] {
        let headers = [("x-forwarded-for", client)];
        open.push(Socket::open(&ada, &headers).await.expect("the first socket of its address"));
        ada.handshake(&headers).await.is_refused(ErrorCode::TooMany, &["address"]);
    }
    for socket in &mut open {
        socket.receive_welcome().await;
    }
}

#[tokio::test]
async fn without_a_trusted_proxy_clients_cannot_forge_their_address() {
    let server = TestServer::with(&["--address-accounts-per-min", "1"]);
    let mut statuses = Vec::new();
    for client in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        statuses.push(guest_from(&server, client).await.status);
    }
    assert_eq!(statuses, [201, 201, 429]);
}

#[tokio::test]
async fn connections_of_a_trusted_proxy_do_not_count_toward_the_limit_of_an_address() {
    let flags = ["--trusted-proxy", "127.0.0.1", "--address-connections-max", "2"];
    let server = TestServer::with(&flags);
    let mut open = Vec::new();
    for _ in 0..6 {
        open.push(tokio::net::TcpStream::connect(server.address()).await.unwrap());
    }
    assert_eq!(server.stranger().get(endpoint::ME).await.status, 204);
}

#[tokio::test]
async fn behind_a_proxy_with_tls_cookies_and_headers_are_those_of_tls() {
    let server = TestServer::with(&["--tls", "proxy", "--trusted-proxy", "127.0.0.1"]);
    let made = guest_from(&server, "192.0.2.1").await;
    let cookie = made.header("set-cookie");
    assert!(cookie.starts_with("__Host-duplex=") && cookie.contains("Secure"), "{cookie}");
    assert!(made.header("strict-transport-security").starts_with("max-age="));
}

#[tokio::test]
async fn behind_a_proxy_on_the_same_machine_the_node_is_known_by_the_proxys_host() {
    let server = TestServer::with(&["--tls", "proxy", "--trusted-proxy", "127.0.0.1"]);
    let nobody = server.stranger();
    for (origin, status) in [("https://www.example.org", 201), ("https://evil.example", 403)] {
        let request = nobody.request(Method::POST, endpoint::ME).json(&json!({ "name": "Guest" }));
        let passed_on = request.header("host", "www.example.org").header("origin", origin);
        assert_eq!(nobody.ask(passed_on).await.status, status, "{origin}");
    }
}

#[tokio::test]
async fn a_missing_or_invalid_trusted_proxy_is_refused_with_a_hint() {
    let folder = TempDir::new().unwrap();
    let output = run_command(|command| _ = in_folder(command, &folder).args(["--tls", "proxy"])).await;
    assert_refused(&output, "--trusted-proxy");
    let nonsense = ["--trusted-proxy", "everywhere"];
    let output = run_command(|command| _ = in_folder(command, &folder).args(nonsense)).await;
    assert_refused(&output, "10.0.0.0/8");
}
