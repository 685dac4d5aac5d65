//! WebSocket over HTTP/2 (RFC 8441), which browsers use if the page was loaded over HTTP/2; and resumed TLS sessions.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::ext::Protocol;
use hyper::{Method, Request, Response, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::PKCS_ECDSA_P256_SHA256;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use serde_json::{Value, json};
use shared::endpoint;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::support::tls::{Certificate, connect, get};
use crate::support::{TestServer, eventually, in_time};

type Http2Client = SendRequest<Full<Bytes>>;

fn server_with_tls() -> (TestServer, Certificate) {
    let certificate = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let flags = certificate.flags();
    (TestServer::with(&flags.each_ref().map(String::as_str)), certificate)
}

/// Opens a connection for requests and sockets.
async fn client(server: &TestServer, certificate: &Certificate) -> Http2Client {
    let stream = connect(server.address(), &certificate.cert(), &TLS13, "h2").await.unwrap();
    let (client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn ask(
    client: &mut Http2Client,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> Response<Incoming> {
    let request = Request::builder().method(method).uri(format!("https://localhost{path}"));
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    in_time("an answer", client.send_request(request.body(body.into()).unwrap())).await.unwrap()
}

async fn cookie(client: &mut Http2Client) -> String {
    let json = [("content-type", "application/json")];
    let answer = ask(client, Method::POST, endpoint::ME, &json, json!({ "name": "Ada" })).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    cookie.split_once(';').unwrap().0.to_owned()
}

/// Opens a socket. The server's first settings must have arrived, since they allow it.
async fn handshake(client: &mut Http2Client, cookie: &str, origin: &str) -> Response<Incoming> {
    eventually("the server's settings allow it", async || {
        let request = Request::builder()
            .method(Method::CONNECT)
            .uri(format!("https://localhost{}", endpoint::SOCKET))
            .extension(Protocol::from_static("websocket"))
            .header("sec-websocket-version", "13")
            .header("cookie", cookie)
            .header("origin", origin);
        client.send_request(request.body(Bytes::new().into()).unwrap()).await.ok()
    })
    .await
}

#[tokio::test]
async fn a_socket_over_http_2_shares_its_connection_with_requests_and_gets_their_events() {
    let (server, certificate) = server_with_tls();
    let mut client = client(&server, &certificate).await;
    let cookie = cookie(&mut client).await;
    let opened = handshake(&mut client, &cookie, "https://localhost").await;
    assert_eq!(opened.status(), 200);
    let stream = TokioIo::new(hyper::upgrade::on(opened).await.unwrap());
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    let subscribe = json!({ "subscribe": { "topic": "probe:topic" } }).to_string();
    socket.send(Message::text(subscribe)).await.unwrap();
    receive(&mut socket, "head").await;

    let headers = [("content-type", "application/json"), ("idempotency-key", "k"), ("cookie", &cookie)];
    let path = "/api/probe/topic/events";
    assert_eq!(ask(&mut client, Method::POST, path, &headers, json!({ "text": "x" })).await.status(), 201);
    assert_eq!(receive(&mut socket, "event").await["seq"], 1);
}

async fn receive(socket: &mut WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>, frame: &str) -> Value {
    loop {
        let message = in_time("a frame", socket.next()).await.unwrap().unwrap();
        let mut frames: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        if !frames[frame].is_null() {
            return frames[frame].take();
        }
    }
}

#[tokio::test]
async fn a_handshake_over_http_2_needs_a_sign_in_and_an_allowed_origin_too() {
    let (server, certificate) = server_with_tls();
    let mut client = client(&server, &certificate).await;
    let cookie = cookie(&mut client).await;
    for (cookie, origin, status) in
        [("", "https://localhost", 401), (&*cookie, "https://example.org", 403), (&cookie, "null", 403)]
    {
        let refused = handshake(&mut client, cookie, origin).await;
        assert_eq!(refused.status().as_u16(), status, "{origin}");
    }
    assert_eq!(ask(&mut client, Method::GET, endpoint::ME, &[], Value::Null).await.status(), 204);
}

#[tokio::test]
async fn a_client_that_comes_back_resumes_its_session() {
    let (server, certificate) = server_with_tls();
    for version in [&TLS12, &TLS13] {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate.cert()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let stream = TcpStream::connect(server.address()).await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            let stream = TlsConnector::from(config.clone()).connect(name, stream).await.unwrap();
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind), "{version:?}");
            // The session ticket arrives with the first bytes.
            get(stream, endpoint::ME).await;
        }
    }
}
