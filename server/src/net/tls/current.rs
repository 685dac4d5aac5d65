//! `Current`: the certificate that is shown now.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;

use crate::net::tls::acme;
use crate::net::tls::challenges::Challenges;
use crate::net::tls::{TlsError, certificate};

/// How often the files are looked at. Asking is cheap, works on every file system, and follows links.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// See the module. Handshakes that began keep what they got.
#[derive(Debug)]
pub struct Current {
    cert: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    /// What the files were before they were first read: one that is replaced from then on is new.
    found: Stamp,
    /// Nothing while the first one is being obtained.
    shown: RwLock<Option<Arc<CertifiedKey>>>,
    /// What is shown to an authority that asks whether a name is ours.
    pub challenges: Challenges,
}

/// What tells that a file was replaced.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Current {
    /// Reads both files.
    pub fn open(cert: PathBuf, key: PathBuf, provider: &Arc<CryptoProvider>) -> Result<Current, TlsError> {
        let mut current = Current::awaited(cert, key, provider);
        let shown = certificate::read(&current.cert, &current.key, provider)?;
        current.shown = RwLock::new(Some(Arc::new(shown)));
        Ok(current)
    }

    /// Waits for both files: until they are there, every handshake fails.
    pub fn awaited(cert: PathBuf, key: PathBuf, provider: &Arc<CryptoProvider>) -> Current {
        let (shown, challenges) = (RwLock::default(), Challenges::new(provider.clone()));
        let found = stamp(&cert, &key);
        Current { cert, key, provider: provider.clone(), found, shown, challenges }
    }

    /// Looks at the files until `stop`. A pair that cannot be used yet (only one of the two was replaced) is
    /// looked at again, while the old one is still shown.
    pub async fn keep(&self, stop: CancellationToken) {
        let mut shown = self.found;
        let mut refused = shown;
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            let now = stamp(&self.cert, &self.key);
            if now == shown {
                continue;
            }
            match certificate::read(&self.cert, &self.key, &self.provider) {
                Ok(new) => {
                    *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(new));
                    shown = now;
                    tracing::info!(cert = %self.cert.display(), "a new certificate is shown from now on");
                }
                Err(error) if refused != now => {
                    refused = now;
                    tracing::error!(%error, "the new certificate cannot be used; the old one is still shown");
                }
                Err(_) => {}
            }
        }
    }

    /// Whether both files are there and belong together.
    pub fn can_be_read(&self) -> bool {
        certificate::read(&self.cert, &self.key, &self.provider).is_ok()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == acme::PROTOCOL)) {
            return self.challenges.of(hello.server_name()?);
        }
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn stamp(cert: &Path, key: &Path) -> Stamp {
    let of = |path| {
        let found = fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len()))
    };
    [of(cert), of(key)]
}
