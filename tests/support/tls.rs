//! A TLS client that trusts one authority, and certificates for servers.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize, SignatureAlgorithm};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A certificate for localhost and its key, in two files.
pub struct Certificate {
    folder: TempDir,
}

impl Certificate {
    /// Creates a certificate with a key of this kind.
    pub fn of(kind: &'static SignatureAlgorithm) -> Certificate {
        Certificate::with(&KeyPair::generate_for(kind).unwrap())
    }

    /// Creates a certificate with an RSA key of this size.
    pub fn rsa(size: RsaKeySize) -> Certificate {
        Certificate::with(&KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size).unwrap())
    }

    fn with(pair: &KeyPair) -> Certificate {
        let certificate = Certificate { folder: TempDir::new().unwrap() };
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        std::fs::write(certificate.cert(), params.self_signed(pair).unwrap().pem()).unwrap();
        std::fs::write(certificate.key(), pair.serialize_pem()).unwrap();
        certificate
    }

    /// Returns the file of the certificate chain.
    pub fn cert(&self) -> PathBuf {
        self.folder.path().join("chain.pem")
    }

    /// Returns the file of the private key.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// Returns the flags of a server with this certificate.
    pub fn flags(&self) -> [String; 4] {
        let text = |path: PathBuf| path.display().to_string();
        ["--tls-cert".into(), text(self.cert()), "--tls-key".into(), text(self.key())]
    }

    /// Overwrites this certificate with another one, as a renewal does.
    pub fn replace_with(&self, other: &Certificate) {
        std::fs::copy(other.key(), self.key()).unwrap();
        std::fs::copy(other.cert(), self.cert()).unwrap();
    }
}

/// Connects, and trusts exactly the certificates in `trusted`. `protocol` is offered by ALPN.
pub async fn connect(
    address: SocketAddr,
    trusted: &Path,
    version: &'static SupportedProtocolVersion,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    handshake(TcpStream::connect(address).await?, trusted, version, protocol).await
}

/// Does the TLS handshake over an open connection. See [`connect`].
pub async fn handshake(
    stream: TcpStream,
    trusted: &Path,
    version: &'static SupportedProtocolVersion,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    for cert in CertificateDer::pem_file_iter(trusted).unwrap() {
        roots.add(cert.unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.into()];
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Sends one GET request over HTTP/1.1, and returns the complete answer as text.
pub async fn get(mut stream: TlsStream<TcpStream>, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// Signs in a new guest over HTTP/1.1, and returns the cookie as a request must send it.
pub async fn sign_in(mut stream: TlsStream<TcpStream>) -> String {
    let request = "POST /api/me HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                   Content-Length: 14\r\nConnection: close\r\n\r\n{\"name\":\"Ada\"}";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}
