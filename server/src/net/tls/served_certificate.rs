//! `ServedCertificate`: the certificate that handshakes get, loaded again whenever its files are replaced.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;

use crate::net::tls::challenges::{ACME_PROTOCOL, Challenges};
use crate::net::tls::error::TlsError;
use crate::net::tls::pem;

/// The pause between two checks of the files. Polling is cheap, works on every file system, and follows links.
const CHECK_EVERY: Duration = Duration::from_secs(2);

/// The certificate that new handshakes get, and the two files that it is loaded from.
#[derive(Debug)]
pub struct ServedCertificate {
    cert: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    /// The files' versions before they were first read, so that a replacement during that read is noticed.
    initial_versions: FileVersions,
    /// `None` until the first certificate is obtained.
    loaded: RwLock<Option<Arc<CertifiedKey>>>,
    /// The certificates for an authority that checks the node's names.
    pub challenges: Challenges,
}

/// Modification time and size of chain and key. They change when a file is replaced; `None` for a missing file.
type FileVersions = [Option<(SystemTime, u64)>; 2];

impl ServedCertificate {
    /// Loads both files.
    pub fn open(
        cert: PathBuf,
        key: PathBuf,
        provider: &Arc<CryptoProvider>,
    ) -> Result<ServedCertificate, TlsError> {
        let mut certificate = ServedCertificate::pending(cert, key, provider);
        let loaded = pem::read(&certificate.cert, &certificate.key, provider)?;
        certificate.loaded = RwLock::new(Some(Arc::new(loaded)));
        Ok(certificate)
    }

    /// Creates it without a certificate. Every handshake fails until both files exist.
    pub fn pending(cert: PathBuf, key: PathBuf, provider: &Arc<CryptoProvider>) -> ServedCertificate {
        let initial_versions = file_versions(&cert, &key);
        ServedCertificate {
            cert,
            key,
            provider: provider.clone(),
            initial_versions,
            loaded: RwLock::default(),
            challenges: Challenges::new(provider.clone()),
        }
    }

    /// Loads the files whenever they are replaced, until `stop`. While they cannot be loaded, for example because only
    /// one of the two is new, the old certificate stays in use and the files are tried again.
    pub async fn reload_until(&self, stop: CancellationToken) {
        let mut loaded = self.initial_versions;
        let mut rejected = loaded;
        while stop.run_until_cancelled(tokio::time::sleep(CHECK_EVERY)).await.is_some() {
            let versions = file_versions(&self.cert, &self.key);
            if versions == loaded {
                continue;
            }
            match pem::read(&self.cert, &self.key, &self.provider) {
                Ok(new) => {
                    *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(new));
                    loaded = versions;
                    tracing::info!(cert = %self.cert.display(), "loaded a new certificate");
                }
                Err(error) if rejected != versions => {
                    rejected = versions;
                    tracing::error!(%error, "the new certificate cannot be loaded; the old one stays in use");
                }
                Err(_) => {}
            }
        }
    }

    /// True if both files can be read and belong together.
    pub fn are_files_valid(&self) -> bool {
        pem::read(&self.cert, &self.key, &self.provider).is_ok()
    }
}

impl ResolvesServerCert for ServedCertificate {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let is_challenge =
            hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == ACME_PROTOCOL));
        if is_challenge {
            return self.challenges.certificate(hello.server_name()?);
        }
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn file_versions(cert: &Path, key: &Path) -> FileVersions {
    [file_version(cert), file_version(key)]
}

fn file_version(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
