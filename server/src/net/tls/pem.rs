//! Reads a certificate chain and its key from PEM files (RFC 7468).

use std::fs;
use std::path::Path;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::net::tls::error::TlsError;

/// Reads the chain in `cert` and the key in `key`: ECDSA P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits. Fails if
/// they do not belong together.
pub fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes("--tls-cert", cert)?)
        .collect::<Result<_, _>>()
        .map_err(|error| file_error("--tls-cert", cert, &format!("it is not valid PEM: {error}")))?;
    if chain.is_empty() {
        let reason = "it contains no certificate (-----BEGIN CERTIFICATE-----)";
        return Err(file_error("--tls-cert", cert, reason));
    }
    let der = PrivateKeyDer::from_pem_slice(&bytes("--tls-key", key)?)
        .map_err(|error| file_error("--tls-key", key, &format!("it contains no private key: {error}")))?;
    CertifiedKey::from_der(chain, der, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            let reason = format!("it does not belong to the certificate in {}", cert.display());
            file_error("--tls-key", key, &reason)
        }
        rustls::Error::InvalidCertificate(error) => {
            file_error("--tls-cert", cert, &format!("the first certificate cannot be used: {error}"))
        }
        error => file_error("--tls-key", key, &format!("the key cannot be used: {error}")),
    })
}

fn bytes(flag: &str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| file_error(flag, path, &error.to_string()))
}

fn file_error(flag: &str, path: &Path, reason: &str) -> TlsError {
    TlsError(format!("{flag} {}: {reason}", path.display()))
}
