//! `healthcheck`: asks the node that runs with these settings if it is ready, for a container's health check.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::HOST;
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The time for an answer. A node that takes longer counts as not ready.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: usize = 4_096;

type RequestError = Box<dyn std::error::Error + Send + Sync>;

/// Requests `/readyz` from the node that listens there. Fails with the reason if it is not ready.
pub async fn check(listen: SocketAddr, speaks_tls: bool) -> Result<(), String> {
    let address = reachable(listen);
    if address.port() == 0 {
        return Err("--listen has port 0, so the node's port is not known".into());
    }
    let answer = timeout(ANSWER_TIMEOUT, request_readiness(address, speaks_tls))
        .await
        .map_err(|_| format!("{address} does not answer within {} s", ANSWER_TIMEOUT.as_secs()))?;
    let (status, body) = answer.map_err(|error| format!("{address} does not answer: {error}"))?;
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::SERVICE_UNAVAILABLE => {
            Err(format!("{status}: {}", String::from_utf8_lossy(&body).trim()))
        }
        _ => Err(format!("{address} does not answer like a Duplex node: {status}")),
    }
}

/// The address at which this machine reaches the node: loopback, if it listens on all addresses.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn request_readiness(
    address: SocketAddr,
    speaks_tls: bool,
) -> Result<(StatusCode, Bytes), RequestError> {
    let stream = TcpStream::connect(address).await?;
    if !speaks_tls {
        return request_over(stream).await;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(AcceptAnyCertificate(provider.clone()));
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let stream = TlsConnector::from(Arc::new(config)).connect(address.ip().into(), stream).await?;
    request_over(stream).await
}

async fn request_over<S>(stream: S) -> Result<(StatusCode, Bytes), RequestError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::get("/readyz").header(HOST, "localhost").body(Body::empty())?;
    let (head, body) = sender.send_request(request).await?.into_parts();
    Ok((head.status, axum::body::to_bytes(Body::new(body), ANSWER_BYTES_MAX).await?))
}

/// Accepts any certificate: the node's own is for its public name, and readiness asked on its own machine is no secret.
#[derive(Debug)]
struct AcceptAnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_listens_on_all_addresses_is_asked_at_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:3000", "127.0.0.1:3000"),
            ("[::]:3000", "[::1]:3000"),
            ("192.0.2.7:443", "192.0.2.7:443"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap(), "{listen}");
        }
    }
}
