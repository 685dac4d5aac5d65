//! `Challenges`: the certificates that prove to an authority that the node controls a name (RFC 8737).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

/// The ALPN protocol of a handshake that only answers a challenge.
pub const ACME_PROTOCOL: &[u8] = b"acme-tls/1";

/// The challenge certificates, by name. Empty except while a certificate is being obtained.
#[derive(Debug)]
pub struct Challenges {
    provider: Arc<CryptoProvider>,
    by_name: Mutex<BTreeMap<String, Arc<CertifiedKey>>>,
}

impl Challenges {
    /// Creates it empty.
    pub fn new(provider: Arc<CryptoProvider>) -> Challenges {
        Challenges { provider, by_name: Mutex::default() }
    }

    /// Makes the certificate for `domain` that contains `digest`, the digest of the key authorization, and serves it.
    pub fn add(&self, domain: &str, digest: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let pair = KeyPair::generate()?;
        let mut params = CertificateParams::new([domain.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let cert = params.self_signed(&pair)?.der().clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let key = self.provider.key_provider.load_private_key(key)?;
        self.lock().insert(domain.to_owned(), Arc::new(CertifiedKey::new(vec![cert], key)));
        Ok(())
    }

    /// Returns the challenge certificate for a name.
    pub fn certificate(&self, domain: &str) -> Option<Arc<CertifiedKey>> {
        self.lock().get(domain).cloned()
    }

    /// Removes all challenge certificates.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<CertifiedKey>>> {
        self.by_name.lock().expect("no code panics while it holds this lock")
    }
}
