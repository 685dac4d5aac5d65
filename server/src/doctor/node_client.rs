//! `NodeClient`: sends requests to the node's public address as a browser would, by HTTP/1.1, each on a new connection.

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

/// The time for a connection, a handshake or the first byte of a response.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
const RESPONSE_BYTES_MAX: usize = 1_024 * 1_024;

/// A client for one address.
pub struct NodeClient {
    /// The origin of the node's page.
    pub origin: Origin,
    tls: Option<TlsConnector>,
}

/// A connection, with or without TLS.
pub trait ByteStream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> ByteStream for S {}

/// A response that was read to its end.
pub struct BufferedResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, of at most a mebibyte.
    pub body: Bytes,
}

/// A WebSocket could not be opened.
pub enum OpenError {
    /// This response came in place of the handshake's.
    Refused(BufferedResponse),
    /// No response came, for this reason.
    Lost(String),
}

impl BufferedResponse {
    /// Returns a problem's detail, or else the first 80 characters of the body, on one line.
    pub fn detail(&self) -> String {
        if let Ok(problem) = serde_json::from_slice::<shared::Problem>(&self.body) {
            return problem.detail;
        }
        let text = String::from_utf8_lossy(&self.body);
        let words = text.split(|char: char| char.is_whitespace() || char.is_control());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        words.join(" ").chars().take(80).collect()
    }

    /// Describes the response for a message: `404 Not Found: there is nothing under this address`.
    pub fn outcome(&self) -> String {
        format!("{}: {}", self.status, self.detail())
    }
}

impl NodeClient {
    /// Creates a client for the address. For `https` it trusts the certificates in the file `root`, or the system's. Fails
    /// if the file cannot be read or contains no certificate.
    pub fn new(origin: &Origin, root: Option<&Path>) -> Result<NodeClient, String> {
        let tls = if origin.is_secure() { Some(connector(root)?) } else { None };
        Ok(NodeClient { origin: origin.clone(), tls })
    }

    /// Starts a request with the headers that a browser adds to every one.
    pub fn request(&self, method: Method, path: &str) -> Builder {
        let host = self.origin.as_host();
        Request::builder().method(method).uri(path).header(HOST, host).header(ORIGIN, self.origin.to_string())
    }

    /// Makes a GET request with these headers.
    pub fn get_request(&self, path: &str, headers: &[(&str, &str)]) -> Result<Request<Body>, String> {
        let mut request = self.request(Method::GET, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).map_err(|error| error.to_string())
    }

    /// Sends a request and returns its response once that has begun.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, String> {
        let stream = self.connect().await?;
        let lost = |error: hyper::Error| match self.tls {
            // A node with TLS closes a connection that begins without a handshake, and says nothing.
            None => format!("the connection was lost: {error}; if the server expects TLS, use https://"),
            Some(_) => format!("the connection was lost: {error}"),
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
        tokio::spawn(connection);
        sender.send_request(request).await.map_err(lost)
    }

    /// Sends a request and returns its response once that is complete.
    pub async fn fetch(&self, request: Request<Body>) -> Result<BufferedResponse, String> {
        let (head, body) = self.send(request).await?.into_parts();
        let body = axum::body::to_bytes(Body::new(body), RESPONSE_BYTES_MAX).await;
        let body = body.map_err(|error| format!("the response was cut off: {error}"))?;
        Ok(BufferedResponse { status: head.status, headers: head.headers, body })
    }

    /// Does the same as [`NodeClient::fetch`], and fails after [`RESPONSE_TIMEOUT`].
    pub async fn fetch_in_time(&self, request: Request<Body>) -> Result<BufferedResponse, String> {
        let response = timeout(RESPONSE_TIMEOUT, self.fetch(request)).await;
        response.map_err(|_| format!("no response within {} s", RESPONSE_TIMEOUT.as_secs()))?
    }

    /// Gets a JSON document.
    pub async fn get_json<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let request = self.get_request(path, &[(ACCEPT.as_str(), "application/json")])?;
        let response = self.fetch_in_time(request).await?;
        serde_json::from_slice(&response.body)
            .map_err(|_| format!("GET {path} returned {}", response.outcome()))
    }

    /// Opens a WebSocket.
    pub async fn open_socket(
        &self,
        path: &str,
        cookie: &str,
    ) -> Result<WebSocketStream<Box<dyn ByteStream>>, OpenError> {
        let stream = self.connect().await.map_err(OpenError::Lost)?;
        let origin = self.origin.to_string().replacen("http", "ws", 1);
        let request = self
            .request(Method::GET, &format!("{origin}{path}"))
            .header("cookie", cookie)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "ZHVwbGV4IGRvY3RvciAxMg==")
            .body(())
            .map_err(|error| OpenError::Lost(error.to_string()))?;
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(SocketError::Http(response)) => {
                let (head, body) = response.into_parts();
                let body = Bytes::from(body.unwrap_or_default());
                Err(OpenError::Refused(BufferedResponse { status: head.status, headers: head.headers, body }))
            }
            Err(error) => Err(OpenError::Lost(format!("the connection was lost: {error}"))),
        }
    }

    async fn connect(&self) -> Result<Box<dyn ByteStream>, String> {
        let (host, port) = self.origin.host_and_port();
        let name = host.trim_matches(['[', ']']).to_owned();
        let connected = timeout(RESPONSE_TIMEOUT, TcpStream::connect((name.clone(), port))).await;
        let stream = connected
            .map_err(|_| format!("{host} port {port} does not answer: is the port open in the firewall?"))?
            .map_err(|error| format!("{host} port {port} cannot be reached: {error}"))?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(name).map_err(|error| format!("{host}: {error}"))?;
        let handshake = timeout(RESPONSE_TIMEOUT, tls.connect(name, stream)).await;
        let stream = handshake
            .map_err(|_| {
                format!("{host} port {port} accepts the connection but does not answer the TLS handshake")
            })?
            .map_err(|error| format!("TLS with {host} port {port} failed: {}", tls_advice(&error)))?;
        Ok(Box::new(stream))
    }
}

/// Explains a failed handshake to the person who runs the address. Rare errors keep the library's words.
fn tls_advice(error: &std::io::Error) -> String {
    let cause = error.get_ref().and_then(|error| error.downcast_ref::<TlsError>());
    let advice = match cause {
        Some(TlsError::InvalidMessage(_)) => "the port does not speak TLS; use http:// or another port",
        Some(TlsError::InvalidCertificate(reason)) => match reason {
            CertificateError::UnknownIssuer
            | CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                "this machine does not trust the certificate's issuer; is the chain complete? Use --root FILE for an \
                 authority of your own"
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
                "the certificate is that of an authority (CA:TRUE); serve one for this host, signed by that authority"
            }
            _ => return error.to_string(),
        },
        _ => return error.to_string(),
    };
    advice.to_owned()
}

fn connector(root: Option<&Path>) -> Result<TlsConnector, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = match root {
        None => builder.with_platform_verifier().map_err(|error| error.to_string())?.with_no_client_auth(),
        Some(file) => {
            let roots = read_roots(file).map_err(|reason| format!("--root {}: {reason}", file.display()))?;
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    // Browsers open WebSockets by HTTP/1.1 unless the server offers them over HTTP/2.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn read_roots(file: &Path) -> Result<RootCertStore, String> {
    let pem = fs::read(file).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(&pem) {
        let root = root.map_err(|error| error.to_string())?;
        roots.add(root).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("it contains no certificate".into());
    }
    Ok(roots)
}
