//! TLS: every kind of key, both versions and both protocols, and nothing weaker; what does not fit together refuses
//! to start; and a certificate is replaced under open connections.

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

use crate::http::start::{in_folder, refuses, start};
use crate::support::tls::{Certificate, connect, get};
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
async fn keys_are_exchanged_so_that_no_quantum_computer_reads_them_later() {
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
    for (version, suites, said) in [
        (0x0303, &STRONG[..], HELLO),
        (0x0302, &STRONG, refused(70)),
        (0x0301, &STRONG, refused(70)),
        (0x0303, &WEAK, refused(40)),
    ] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(&client_hello(version, suites)).await.unwrap();
        let mut record = [0; 7];
        in_time("the answer", stream.read_exact(&mut record)).await.unwrap();
        // The kind of the record; then the kind of the handshake message, or behind the alert's level which one.
        let kind = if record[0] == HELLO.0 { record[5] } else { record[6] };
        assert_eq!((record[0], kind), said, "{version:#06x} with {suites:04x?}");
    }
}

/// What a client without TLS 1.3 begins with; all but `version` and `suites` is what the node takes.
fn client_hello(version: u16, suites: &[u16]) -> Vec<u8> {
    let counted = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
    let extension = |kind: u16, bytes: &[u8]| [&kind.to_be_bytes()[..], &counted(bytes)].concat();
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let groups = extension(10, &counted(&[0, 29, 0, 23]));
    let points = extension(11, &[1, 0]);
    let signatures = extension(13, &counted(&[4, 3, 8, 4, 4, 1]));
    let extensions = counted(&[groups, points, signatures].concat());
    let random_and_no_session = [[7; 32].as_slice(), &[0]].concat();
    let no_compression = [1, 0];
    let body =
        [&version.to_be_bytes()[..], &random_and_no_session, &counted(&suites), &no_compression, &extensions];
    let body = body.concat();
    let message = [&[1, 0], &counted(&body)[..]].concat();
    [&[0x16, 3, 1], &counted(&message)[..]].concat()
}

#[tokio::test]
async fn http_2_is_spoken_where_the_client_offers_it() {
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
    let (old, new) = (Certificate::of(&PKCS_ECDSA_P256_SHA256), Certificate::rsa(RsaKeySize::_2048));
    let trusted = [old.cert(), new.cert()].map(|path| std::fs::read(path).unwrap());
    let server = server_with(&old);
    let mut guest = connect(server.address(), &old.cert(), &TLS13, "http/1.1").await.unwrap();
    let cookie = sign_in(&mut guest).await;
    let mut sockets = Vec::new();
    for _ in 0..100 {
        let mut request = "wss://localhost/socket".into_client_request().unwrap();
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        let stream = connect(server.address(), &old.cert(), &TLS13, "http/1.1").await.unwrap();
        sockets.push(tokio_tungstenite::client_async(request, stream).await.unwrap().0);
    }

    old.becomes(&new);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &trusted[1]).unwrap();
    eventually("the new certificate is shown", async || {
        connect(server.address(), file.path(), &TLS13, "http/1.1").await.ok()
    })
    .await;
    std::fs::write(file.path(), &trusted[0]).unwrap();
    assert!(connect(server.address(), file.path(), &TLS13, "http/1.1").await.is_err(), "the old one is gone");
    for socket in &mut sockets {
        let welcome = socket.next().await.unwrap().unwrap();
        assert!(welcome.to_text().unwrap().starts_with("{\"welcome\""), "{welcome}");
        socket.send(r#"{"ping":{"at":1}}"#.into()).await.unwrap();
        let pong = socket.next().await.unwrap().unwrap();
        assert_eq!(pong.to_text().unwrap(), r#"{"pong":{"at":1}}"#, "the socket has noticed nothing");
    }
}

#[tokio::test]
async fn while_only_one_of_two_files_is_new_the_old_certificate_is_shown() {
    let (old, new) = (Certificate::of(&PKCS_ECDSA_P256_SHA256), Certificate::rsa(RsaKeySize::_2048));
    let server = server_with(&old);
    std::fs::copy(new.key(), old.key()).unwrap();
    let line = eventually("the log says that they do not fit", async || {
        server.log().lines().find(|line| line.contains("the old one stays in use")).map(String::from)
    });
    let line = line.await;
    assert!(line.contains(&old.key().display().to_string()), "{line}");
    connect(server.address(), &old.cert(), &TLS13, "http/1.1").await.expect("as before");

    std::fs::copy(new.cert(), old.cert()).unwrap();
    eventually("the new one is shown", async || {
        connect(server.address(), &new.cert(), &TLS13, "http/1.1").await.ok()
    })
    .await;
}

/// Signs in over HTTP/1.1, and returns the cookie as it is to be sent.
async fn sign_in<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(stream: &mut S) -> String {
    let request = "POST /api/me HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                   Content-Length: 14\r\nConnection: close\r\n\r\n{\"name\":\"Ada\"}";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_certificate_for_this_machine_is_made_once_and_promises_nothing_for_long() {
    let mut server = TestServer::with(&["--tls", "self-signed"]);
    let (cert, key) = (server.data().join("tls/localhost.crt"), server.data().join("tls/localhost.key"));
    let made = std::fs::read(&cert).unwrap();
    eventually("the log says how to trust it", async || {
        let log = server.log();
        let says = |line: &str| line.contains("to trust it") && line.contains(&cert.display().to_string());
        log.lines().any(says).then_some(())
    })
    .await;
    assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    let stream = connect(server.address(), &cert, &TLS13, "http/1.1").await.unwrap();
    let answer = get(stream, endpoint::ME).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(!answer.contains("strict-transport-security"), "it would bind localhost for years");
    server.kill();
    server.restart();
    assert_eq!(std::fs::read(&cert).unwrap(), made);
}

#[tokio::test]
async fn what_cannot_be_served_refuses_to_start_and_names_the_file() {
    let (one, other) = (Certificate::of(&PKCS_ECDSA_P256_SHA256), Certificate::of(&PKCS_ECDSA_P256_SHA256));
    let (cert, key) = (one.cert().display().to_string(), other.key().display().to_string());
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
        refuses(&start(|command| _ = in_folder(command, &folder).args(flags)).await, word);
    }
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_not_served_without_tls_by_oversight() {
    let folder = tempfile::TempDir::new().unwrap();
    let output =
        start(|command| _ = command.args(["--listen", "0.0.0.0:0", "--data"]).arg(folder.path())).await;
    refuses(&output, "--insecure-http");
}

#[tokio::test]
async fn a_connection_that_speaks_http_2_and_asks_for_nothing_is_closed() {
    let certificate = Certificate::of(&PKCS_ECDSA_P256_SHA256);
    let server = server_with(&certificate);
    let mut stream = connect(server.address(), &certificate.cert(), &TLS13, "h2").await.unwrap();
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(30), async {
        stream.read_to_end(&mut answer).await.ok();
    });
    assert!(closed.await.is_ok(), "it is still open");
}
