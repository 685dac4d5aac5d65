//! `Challenges`: the certificates that prove to an authority that a name is ours (RFC 8737).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

/// By the name that each is for; empty but for the moments in which a certificate is obtained.
#[derive(Debug)]
pub struct Challenges {
    provider: Arc<CryptoProvider>,
    shown: Mutex<BTreeMap<String, Arc<CertifiedKey>>>,
}

impl Challenges {
    /// None yet.
    pub fn new(provider: Arc<CryptoProvider>) -> Challenges {
        Challenges { provider, shown: Mutex::default() }
    }

    /// Makes the certificate that holds `digest` of what the authority expects, and shows it for that name.
    pub fn show(&self, domain: &str, digest: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let pair = KeyPair::generate()?;
        let mut params = CertificateParams::new([domain.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let cert = params.self_signed(&pair)?.der().clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let key = self.provider.key_provider.load_private_key(key)?;
        self.lock().insert(domain.to_owned(), Arc::new(CertifiedKey::new(vec![cert], key)));
        Ok(())
    }

    /// That of a name.
    pub fn of(&self, domain: &str) -> Option<Arc<CertifiedKey>> {
        self.lock().get(domain).cloned()
    }

    /// Shows none any more.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<CertifiedKey>>> {
        self.shown.lock().expect("no code panics while it holds this lock")
    }
}
