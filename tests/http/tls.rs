//! TLS: all kinds of keys, both versions and both protocols, and nothing weaker; a key and a certificate that do not
//! match are refused at the start; and a certificate is replaced while connections are open.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, RsaKeySize};
use rustls::NamedGroup;
use rustls::version::{TLS12, TLS13};
use shared::endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::command::{assert_refused, in_folder, run_command};
use crate::support::tls::{Certificate, connect, get, sign_in};
use crate::support::{TestServer, eventually, in_time};

fn server_with(certificate: &Certificate) -> TestServer {
    TestServer::with(&certificate.flags().each_ref().map(String::as_str))
}

#[tokio::test]
async fn every_kind_of_key_is_served_in_both_versions() {
    for certificate in [
        Certificate::of(&PKCS_ECDSA_P256_SHA256),
        Certificate::of(&PKCS_ECDSA_P384_SHA384),
        Certificate::of(&PKCS_ED25519),
        Certificate::rsa(RsaKeySize::_2048),
        Certificate::rsa(RsaKeySize::_4096),
    ] {
        let server = server_with(&certificate);
        for version in [&TLS12, &TLS13] {
            let stream = connect(server.address(), &certificate.cert(), version, "http/1.1").await.unwrap();
            let answer = get(stream, endpoint::ME).await;
            assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
            assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
        }
    }
}

#[tokio::test]
async fn the_key_exchange_is_safe_against_quantum_computers() {
    let certificate = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let server = server_with(&certificate);
    let stream = connect(server.address(), &certificate.cert(), &TLS13, "http/1.1").await.unwrap();
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), NamedGroup::X25519MLKEM768);
}

#[tokio::test]
async fn old_versions_and_weak_suites_are_refused() {
    const STRONG: [u16; 2] = [0xc02b, 0xc02c]; // ECDHE-ECDSA with AES-GCM
    const WEAK: [u16; 5] = [0x002f, 0x0035, 0x009c, 0x000a, 0xc008]; // RSA key exchange, and 3DES
    const HELLO: (u8, u8) = (0x16, 2);
    let refused = |alert: u8| (0x15, alert);
    let server = server_with(&Certificate::of(&PKCS_ECDSA_P256_SHA256));
    for (version, suites, expected) in [
        (0x0303, &STRONG[..], HELLO),
        (0x0302, &STRONG, refused(70)),
        (0x0301, &STRONG, refused(70)),
        (0x0303, &WEAK, refused(40)),
    ] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(&client_hello(version, suites)).await.unwrap();
        let mut record = [0; 7];
        in_time("the answer", stream.read_exact(&mut record)).await.unwrap();
        // The type of the record, then the type of the handshake message, or the description of the alert.
        let kind = if record[0] == HELLO.0 { record[5] } else { record[6] };
        assert_eq!((record[0], kind), expected, "{version:#06x} with {suites:04x?}");
    }
}

/// Encodes the first message of a client without TLS 1.3. The node accepts everything in it except some versions and
/// suites.
fn client_hello(version: u16, suites: &[u16]) -> Vec<u8> {
    let with_length = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
    let extension = |kind: u16, bytes: &[u8]| [&kind.to_be_bytes()[..], &with_length(bytes)].concat();
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let groups = extension(10, &with_length(&[0, 29, 0, 23]));
    let points = extension(11, &[1, 0]);
    let signatures = extension(13, &with_length(&[4, 3, 8, 4, 4, 1]));
    let extensions = with_length(&[groups, points, signatures].concat());
    let random_and_no_session = [[7; 32].as_slice(), &[0]].concat();
    let no_compression = [1, 0];
    let body = [
        &version.to_be_bytes()[..],
        &random_and_no_session,
        &with_length(&suites),
        &no_compression,
        &extensions,
    ];
    let body = body.concat();
    let message = [&[1, 0], &with_length(&body)[..]].concat();
    [&[0x16, 3, 1], &with_length(&message)[..]].concat()
}

#[tokio::test]
async fn http_2_is_used_if_the_client_offers_it() {
    let certificate = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let server = server_with(&certificate);
    let stream = connect(server.address(), &certificate.cert(), &TLS13, "h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    for _ in 0..3 {
        let request = hyper::Request::get(format!("https://localhost{}", endpoint::ME));
        let answer = sender.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (204, hyper::Version::HTTP_2));
    }
    connection.abort();
}

#[tokio::test]
async fn a_new_certificate_is_served_and_a_hundred_open_sockets_stay() {
    let old = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let new = Certificate::rsa(RsaKeySize::_2048);
    let trusted = [old.cert(), new.cert()].map(|path| std::fs::read(path).unwrap());
    let server = server_with(&old);
    let guest = connect(server.address(), &old.cert(), &TLS13, "http/1.1").await.unwrap();
    let cookie = sign_in(guest).await;
    let mut sockets = Vec::new();
    for _ in 0..100 {
        let mut request = "wss://localhost/socket".into_client_request().unwrap();
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        let stream = connect(server.address(), &old.cert(), &TLS13, "http/1.1").await.unwrap();
        sockets.push(tokio_tungstenite::client_async(request, stream).await.unwrap().0);
    }

    old.replace_with(&new);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &trusted[1]).unwrap();
    eventually("the new certificate is served", async || {
        connect(server.address(), file.path(), &TLS13, "http/1.1").await.ok()
    })
    .await;
    std::fs::write(file.path(), &trusted[0]).unwrap();
    assert!(
        connect(server.address(), file.path(), &TLS13, "http/1.1").await.is_err(),
        "the old certificate is not served any more"
    );
    for socket in &mut sockets {
        let welcome = socket.next().await.unwrap().unwrap();
        assert!(welcome.to_text().unwrap().starts_with("{\"welcome\""), "{welcome}");
        socket.send(r#"{"ping":{"at":1}}"#.into()).await.unwrap();
        let pong = socket.next().await.unwrap().unwrap();
        assert_eq!(pong.to_text().unwrap(), r#"{"pong":{"at":1}}"#, "the socket is unaffected");
    }
}

#[tokio::test]
async fn the_old_certificate_is_served_until_both_new_files_match() {
    let old = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let new = Certificate::rsa(RsaKeySize::_2048);
    let server = server_with(&old);
    std::fs::copy(new.key(), old.key()).unwrap();
    let line = eventually("stderr says that they do not match", async || {
        server.stderr().lines().find(|line| line.contains("the old one stays in use")).map(String::from)
    });
    let line = line.await;
    assert!(line.contains(&old.key().display().to_string()), "{line}");
    connect(server.address(), &old.cert(), &TLS13, "http/1.1")
        .await
        .expect("the old certificate is still served");

    std::fs::copy(new.cert(), old.cert()).unwrap();
    eventually("the new certificate is served", async || {
        connect(server.address(), &new.cert(), &TLS13, "http/1.1").await.ok()
    })
    .await;
}

#[tokio::test]
async fn a_self_signed_certificate_is_created_once_and_does_not_enable_hsts() {
    let mut server = TestServer::with(&["--tls", "self-signed"]);
    let cert = server.data().join("tls/localhost.crt");
    let key = server.data().join("tls/localhost.key");
    let made = std::fs::read(&cert).unwrap();
    eventually("stderr says how to trust it", async || {
        let stderr = server.stderr();
        let is_hint = |line: &str| line.contains("to trust it") && line.contains(&cert.display().to_string());
        stderr.lines().any(is_hint).then_some(())
    })
    .await;
    assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    let stream = connect(server.address(), &cert, &TLS13, "http/1.1").await.unwrap();
    let answer = get(stream, endpoint::ME).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(!answer.contains("strict-transport-security"), "it would force HTTPS on localhost for years");
    server.kill();
    server.restart();
    assert_eq!(std::fs::read(&cert).unwrap(), made);
}

#[tokio::test]
async fn invalid_certificates_and_keys_are_refused_at_the_start() {
    let one = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let other = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let cert = one.cert().display().to_string();
    let key = other.key().display().to_string();
    for (flags, word) in [
        (vec!["--tls-cert", &cert, "--tls-key", &key], key.as_str()),
        (vec!["--tls-cert", &key, "--tls-key", &key], "contains no certificate"),
        (vec!["--tls-cert", &cert, "--tls-key", &cert], "contains no private key"),
        (vec!["--tls-cert", "missing.pem", "--tls-key", &key], "missing.pem"),
        (vec!["--tls-cert", &cert], "--tls-key"),
        (vec!["--tls", "self-signed", "--tls-cert", &cert, "--tls-key", &key], "--tls"),
        (vec!["--tls", "acme", "--acme-contact", "ada@example.org"], "--acme-domain"),
        (vec!["--tls", "acme", "--acme-domain", "example.org"], "--acme-contact"),
        (vec!["--redirect-from", "127.0.0.1:0"], "--redirect-from"),
    ] {
        let folder = tempfile::TempDir::new().unwrap();
        assert_refused(&run_command(|command| _ = in_folder(command, &folder).args(flags)).await, word);
    }
}

#[tokio::test]
async fn a_public_address_without_tls_needs_an_explicit_flag() {
    let folder = tempfile::TempDir::new().unwrap();
    let output =
        run_command(|command| _ = command.args(["--listen", "0.0.0.0:0", "--data"]).arg(folder.path())).await;
    assert_refused(&output, "--insecure-http");
}

#[tokio::test]
async fn an_idle_http_2_connection_is_closed() {
    let certificate = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let server = server_with(&certificate);
    let mut stream = connect(server.address(), &certificate.cert(), &TLS13, "h2").await.unwrap();
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(30), async {
        stream.read_to_end(&mut answer).await.ok();
    });
    assert!(closed.await.is_ok(), "the connection is still open");
}
