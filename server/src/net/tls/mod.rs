//! TLS: which certificate the node shows, and how it stays current.
//!
//! TLS 1.3 and 1.2 with the suites of rustls, none of which is weak, and the hybrid post-quantum key exchange
//! X25519MLKEM768 first. A certificate that is replaced on disk is taken up without dropping a connection.

mod acme;
mod certificate;
mod challenges;
mod current;
mod secret;
mod self_signed;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::ServerSessionMemoryCache;
use rustls::version::{TLS12, TLS13};
use tokio_util::sync::CancellationToken;

pub use acme::Acme;
pub use current::Current;

/// Sessions of TLS 1.2 that can be resumed; those of 1.3 are in tickets, which cost nothing here.
const SESSIONS_MAX: usize = 1_024;

/// Where the certificate comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Two PEM files: the chain, the node's own certificate first, and its key.
    Files {
        /// The chain.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// One for this machine only, made in this folder when there is none.
    SelfSigned(PathBuf),
    /// An authority, which gives a new one before the old one runs out.
    Acme(Acme),
}

/// What is wrong with a certificate. One line, which names the file.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(pub String);

/// The node's side of every handshake.
#[derive(Clone)]
pub struct Tls {
    /// For the accept loop.
    pub config: Arc<ServerConfig>,
    current: Arc<Current>,
    acme: Option<Acme>,
}

impl Tls {
    /// Reads the certificate, or makes it. Chain and key that do not belong together are refused here.
    pub fn open(source: &Source) -> Result<Tls, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut authority = None;
        let current = match source {
            Source::Files { cert, key } => Current::open(cert.clone(), key.clone(), &provider)?,
            Source::SelfSigned(folder) => {
                let (cert, key) = self_signed::in_folder(folder)?;
                Current::open(cert, key, &provider)?
            }
            Source::Acme(from) => {
                authority = Some(from.clone());
                // What cannot be read is obtained anew.
                Current::open(from.cert(), from.key(), &provider)
                    .unwrap_or_else(|_| Current::awaited(from.cert(), from.key(), &provider))
            }
        };
        let current = Arc::new(current);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| TlsError(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if authority.is_some() {
            config.alpn_protocols.push(acme::PROTOCOL.to_vec());
        }
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS_MAX);
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(|error| TlsError(error.to_string()))?;
        Ok(Tls { config: Arc::new(config), current, acme: authority })
    }

    /// Obtains certificates where that is asked for, and takes up what was replaced on disk, until `stop`.
    pub async fn keep_current(self, stop: CancellationToken) {
        if let Some(acme) = self.acme {
            tokio::spawn(acme.keep(self.current.clone(), stop.clone()));
        }
        self.current.keep(stop).await;
    }
}
