//! A certificate for this machine only, to try TLS out. It is made once, and again before it expires.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, KeyPair};
use time::OffsetDateTime;

use crate::net::tls::error::TlsError;
use crate::net::tls::secret_file;

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// The certificate's lifetime. Browsers reject one of more than 398 days.
const LIFETIME_DAYS: i64 = 390;
const RENEW_AFTER: Duration = Duration::from_secs(360 * 24 * 60 * 60);

/// Returns the files of chain and key in `folder`. Makes them if they are missing or about to expire.
pub fn in_folder(folder: &Path) -> Result<(PathBuf, PathBuf), TlsError> {
    let cert = folder.join("localhost.crt");
    let key = folder.join("localhost.key");
    if !is_fresh(&cert) || !key.is_file() {
        make(folder, &cert, &key).map_err(|error| TlsError(format!("--tls self-signed: {error}")))?;
        tracing::info!(
            file = %cert.display(),
            "created a certificate for localhost; to trust it, add this file to the certificate authorities of your \
             browser or system, or pass it to the client (curl --cacert)"
        );
    }
    Ok((cert, key))
}

fn is_fresh(cert: &Path) -> bool {
    let modified = fs::metadata(cert).and_then(|metadata| metadata.modified());
    modified
        .is_ok_and(|modified| SystemTime::now().duration_since(modified).unwrap_or_default() < RENEW_AFTER)
}

fn make(folder: &Path, cert: &Path, key: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let pair = KeyPair::generate()?;
    let mut params = CertificateParams::new(NAMES.map(String::from))?;
    params.distinguished_name.push(DnType::CommonName, "Duplex on this machine");
    params.not_before = OffsetDateTime::now_utc() - time::Duration::days(1);
    params.not_after = OffsetDateTime::now_utc() + time::Duration::days(LIFETIME_DAYS);
    let certificate = params.self_signed(&pair)?;
    fs::create_dir_all(folder)?;
    secret_file::write(key, &pair.serialize_pem())?;
    fs::write(cert, certificate.pem())?;
    Ok(())
}
