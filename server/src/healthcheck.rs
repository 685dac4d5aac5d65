//! `healthcheck`: whether the node that runs with these settings is ready, asked as a container's runtime would.

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

/// A node that takes longer is not ready.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: usize = 4_096;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Asks `/readyz` of the node that listens there. The error is why it is not ready.
pub async fn check(listen: SocketAddr, speaks_tls: bool) -> Result<(), String> {
    let address = reachable(listen);
    if address.port() == 0 {
        return Err("--listen names no port to ask at".into());
    }
    let cannot = |reason: String| format!("{address} does not answer ({reason})");
    let asked = timeout(ANSWER_WITHIN, ask(address, speaks_tls)).await;
    let asked = asked.map_err(|_| cannot(format!("not within {} s", ANSWER_WITHIN.as_secs())))?;
    let (status, body) = asked.map_err(|error| cannot(error.to_string()))?;
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::SERVICE_UNAVAILABLE => {
            Err(format!("{status}: {}", String::from_utf8_lossy(&body).trim()))
        }
        _ => Err(format!("{address} answers with {status}, which no node does")),
    }
}

/// An address that means all of them is asked at this machine's own.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn ask(address: SocketAddr, speaks_tls: bool) -> Result<(StatusCode, Bytes), Failed> {
    let stream = TcpStream::connect(address).await?;
    if !speaks_tls {
        return ask_over(stream).await;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(OurOwn(provider.clone()));
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let stream = TlsConnector::from(Arc::new(config)).connect(address.ip().into(), stream).await?;
    ask_over(stream).await
}

async fn ask_over<S>(stream: S) -> Result<(StatusCode, Bytes), Failed>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::get("/readyz").header(HOST, "localhost").body(Body::empty())?;
    let (head, body) = sender.send_request(request).await?.into_parts();
    Ok((head.status, axum::body::to_bytes(Body::new(body), ANSWER_BYTES_MAX).await?))
}

/// Takes the certificate as it is: it is for the public name, and the node is asked on its own machine for what is no
/// secret.
#[derive(Debug)]
struct OurOwn(Arc<CryptoProvider>);

impl ServerCertVerifier for OurOwn {
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
    fn a_node_is_asked_where_this_machine_reaches_it() {
        for (listen, asked) in [
            ("0.0.0.0:3000", "127.0.0.1:3000"),
            ("[::]:3000", "[::1]:3000"),
            ("192.0.2.7:443", "192.0.2.7:443"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap(), "{listen}");
        }
    }
}
