//! `Tls`: the node's side of every handshake.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::ServerSessionMemoryCache;
use rustls::version::{TLS12, TLS13};
use tokio_util::sync::CancellationToken;

use crate::net::tls::acme::Acme;
use crate::net::tls::challenges::ACME_PROTOCOL;
use crate::net::tls::error::TlsError;
use crate::net::tls::self_signed;
use crate::net::tls::served_certificate::ServedCertificate;
use crate::net::tls::source::Source;

/// Sessions of TLS 1.2 that can be resumed. Those of TLS 1.3 are in tickets, which need no memory here.
const SESSIONS_MAX: usize = 1_024;

/// The node's side of every handshake, and the tasks that renew its certificate.
#[derive(Clone)]
pub struct Tls {
    /// The configuration for the accept loop.
    pub config: Arc<ServerConfig>,
    certificate: Arc<ServedCertificate>,
    acme: Option<Acme>,
}

impl Tls {
    /// Reads or makes the certificate. Fails if chain and key do not belong together. A certificate of an authority that
    /// cannot be read is no error: a new one is obtained.
    pub fn open(source: &Source) -> Result<Tls, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut acme = None;
        let certificate = match source {
            Source::Files { cert, key } => ServedCertificate::open(cert.clone(), key.clone(), &provider)?,
            Source::SelfSigned(folder) => {
                let (cert, key) = self_signed::in_folder(folder)?;
                ServedCertificate::open(cert, key, &provider)?
            }
            Source::Acme(from) => {
                acme = Some(from.clone());
                ServedCertificate::open(from.cert(), from.key(), &provider)
                    .unwrap_or_else(|_| ServedCertificate::pending(from.cert(), from.key(), &provider))
            }
        };
        let certificate = Arc::new(certificate);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| TlsError(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(certificate.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if acme.is_some() {
            config.alpn_protocols.push(ACME_PROTOCOL.to_vec());
        }
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS_MAX);
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(|error| TlsError(error.to_string()))?;
        Ok(Tls { config: Arc::new(config), certificate, acme })
    }

    /// Renews an authority's certificate when it is due, and loads files that were replaced on disk, until `stop`.
    pub async fn keep_current(self, stop: CancellationToken) {
        if let Some(acme) = self.acme {
            tokio::spawn(acme.renew_until(self.certificate.clone(), stop.clone()));
        }
        self.certificate.reload_until(stop).await;
    }
}
