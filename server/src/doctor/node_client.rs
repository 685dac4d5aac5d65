//! `Target`: the address as a browser asks it, by HTTP/1.1, each time on a connection of its own.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, HOST, ORIGIN};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, Error as TlsError, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error as SocketError;

use crate::net::authority::Origin;

/// The deadline for a connection, a handshake or the first byte of an answer.
pub const BEGINS_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 1_024 * 1_024;

/// The examined address, and the way to encrypt to it.
pub struct Target {
    /// The page's origin.
    pub origin: Origin,
    tls: Option<TlsConnector>,
}

/// A connection, encrypted or not.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for S {}

/// An answer, whole.
pub struct Told {
    /// Its status.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body, of at most a mebibyte.
    pub body: Bytes,
}

impl Told {
    /// The detail of a problem, else the first 80 characters of the body, on one line.
    pub fn detail(&self) -> String {
        let problem = serde_json::from_slice::<shared::Problem>(&self.body);
        let text = String::from_utf8_lossy(&self.body);
        let words = || {
            text.split(|char: char| char.is_whitespace() || char.is_control()).filter(|word| !word.is_empty())
        };
        let beginning = || words().collect::<Vec<_>>().join(" ").chars().take(80).collect();
        problem.map_or_else(|_| beginning(), |problem| problem.detail)
    }
}

impl Target {
    /// The address, and for `https` the roots that vouch for it: those in the file `root`, or the system's. Fails where
    /// the file cannot be read or holds no certificate.
    pub fn new(origin: &Origin, root: Option<&Path>) -> Result<Target, String> {
        let tls = origin.is_secure().then(|| connector(root)).transpose()?;
        Ok(Target { origin: origin.clone(), tls })
    }

    /// A request with what a browser says of every one.
    pub fn request(&self, method: Method, path: &str) -> Builder {
        let host = self.origin.as_host();
        Request::builder().method(method).uri(path).header(HOST, host).header(ORIGIN, self.origin.to_string())
    }

    /// Connects anew. The error says what stands in the way.
    pub async fn connect(&self) -> Result<Box<dyn Wire>, String> {
        let (host, port) = self.origin.host_and_port();
        let address = (host.trim_matches(['[', ']']).to_owned(), port);
        let connected = timeout(BEGINS_WITHIN, TcpStream::connect(address)).await;
        let stream = connected
            .map_err(|_| format!("{host} port {port} does not answer: is the port open in the firewall?"))?
            .map_err(|error| format!("{host} port {port} cannot be reached: {error}"))?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|error| format!("{host}: {error}"))?;
        let shaken = timeout(BEGINS_WITHIN, tls.connect(name, stream)).await;
        let stream = shaken
            .map_err(|_| format!("{host} port {port} takes the connection and does not answer to TLS"))?
            .map_err(|error| format!("TLS with {host} port {port} fails: {}", in_words(&error)))?;
        Ok(Box::new(stream))
    }

    /// Sends a request. The answer has begun.
    pub async fn begin(&self, request: Request<Body>) -> Result<Response<Incoming>, String> {
        let stream = self.connect().await?;
        let failed = |error: hyper::Error| match self.tls {
            // A node with TLS says nothing to what is no handshake.
            None => format!("the connection broke off: {error}; if the address speaks TLS, ask https://"),
            Some(_) => format!("the connection broke off: {error}"),
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(failed)
    }

    /// Sends a request. The answer is complete.
    pub async fn ask(&self, request: Request<Body>) -> Result<Told, String> {
        let (head, body) = self.begin(request).await?.into_parts();
        let body = axum::body::to_bytes(Body::new(body), ANSWER_BYTES_MAX).await;
        let body = body.map_err(|error| format!("the answer broke off: {error}"))?;
        Ok(Told { status: head.status, headers: head.headers, body })
    }

    /// The same within [`BEGINS_WITHIN`].
    pub async fn ask_soon(&self, request: Request<Body>) -> Result<Told, String> {
        let late = |_| format!("no answer within {} s", BEGINS_WITHIN.as_secs());
        timeout(BEGINS_WITHIN, self.ask(request)).await.map_err(late)?
    }

    /// Gets a JSON document.
    pub async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let request = self.request(Method::GET, path).header(ACCEPT, "application/json");
        let told = self.ask_soon(request.body(Body::empty()).map_err(|error| error.to_string())?).await?;
        let unlike = || format!("GET {path} is answered with {}: {}", told.status, told.detail());
        serde_json::from_slice(&told.body).map_err(|_| unlike())
    }

    /// Opens a WebSocket. The error is the answer that came in its place, or why none came.
    pub async fn open(
        &self,
        path: &str,
        cookie: &str,
    ) -> Result<WebSocketStream<Box<dyn Wire>>, Result<Told, String>> {
        let stream = self.connect().await.map_err(Err)?;
        let request = self
            .request(Method::GET, &format!("{}{path}", self.origin.to_string().replacen("http", "ws", 1)))
            .header("cookie", cookie)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "ZHVwbGV4IGRvY3RvciAxMg==")
            .body(());
        let request = request.map_err(|error| Err(error.to_string()))?;
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(SocketError::Http(answer)) => {
                let (head, body) = answer.into_parts();
                let body = Bytes::from(body.unwrap_or_default());
                Err(Ok(Told { status: head.status, headers: head.headers, body }))
            }
            Err(error) => Err(Err(format!("the connection broke off: {error}"))),
        }
    }
}

/// A failed handshake as whoever runs the address can mend it; other errors in the library's words.
fn in_words(error: &std::io::Error) -> String {
    let cause = error.get_ref().and_then(|error| error.downcast_ref::<TlsError>());
    let words = match cause {
        Some(TlsError::InvalidMessage(_)) => "the port speaks no TLS; ask http://, or another port",
        Some(TlsError::InvalidCertificate(reason)) => match reason {
            CertificateError::UnknownIssuer
            | CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                "nobody whom this machine trusts vouches for the certificate; is the chain complete? --root FILE names \
                 another authority"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the certificate has expired; renew it"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the certificate is not valid yet; is the clock right?"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate is for another name; get one for this host"
            }
            CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
                "the certificate is an authority's own (CA:TRUE); serve one for this host that the authority signed"
            }
            _ => return error.to_string(),
        },
        _ => return error.to_string(),
    };
    words.to_owned()
}

fn connector(root: Option<&Path>) -> Result<TlsConnector, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = match root {
        None => builder.with_platform_verifier().map_err(|error| error.to_string())?.with_no_client_auth(),
        Some(file) => {
            let cannot = |error: String| format!("--root {}: {error}", file.display());
            let pem = fs::read(file).map_err(|error| cannot(error.to_string()))?;
            let mut roots = RootCertStore::empty();
            for root in CertificateDer::pem_slice_iter(&pem) {
                let root = root.map_err(|error| cannot(error.to_string()))?;
                roots.add(root).map_err(|error| cannot(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(cannot("it holds no certificate".into()));
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    // As browsers open sockets where the proxy has no other way.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
