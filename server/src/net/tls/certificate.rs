//! Reads a certificate and its key from PEM files (RFC 7468).

use std::fs;
use std::path::Path;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::net::tls::TlsError;

/// The chain in `cert` with the key in `key`: ECDSA P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits.
pub fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes("--tls-cert", cert)?)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong("--tls-cert", cert, &format!("it cannot be read as PEM: {error}")))?;
    if chain.is_empty() {
        return Err(wrong("--tls-cert", cert, "it holds no certificate (-----BEGIN CERTIFICATE-----)"));
    }
    let der = PrivateKeyDer::from_pem_slice(&bytes("--tls-key", key)?)
        .map_err(|error| wrong("--tls-key", key, &format!("it holds no private key: {error}")))?;
    CertifiedKey::from_der(chain, der, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            wrong("--tls-key", key, &format!("it is not the key of the certificate in {}", cert.display()))
        }
        rustls::Error::InvalidCertificate(error) => {
            wrong("--tls-cert", cert, &format!("its first certificate cannot be used: {error}"))
        }
        error => wrong("--tls-key", key, &format!("the key cannot be used: {error}")),
    })
}

fn bytes(flag: &str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| wrong(flag, path, &error.to_string()))
}

fn wrong(flag: &str, path: &Path, what: &str) -> TlsError {
    TlsError(format!("{flag} {}: {what}", path.display()))
}
