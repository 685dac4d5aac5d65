//! A certificate for this machine only, for trying TLS out: made once, and again before it runs out.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, KeyPair};
use time::OffsetDateTime;

use crate::net::tls::{TlsError, secret};

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Browsers take no certificate that is good for longer than 398 days.
const DAYS: i64 = 390;
const RENEW_AFTER: Duration = Duration::from_secs(360 * 24 * 60 * 60);

/// The chain's and the key's file in `folder`, made when they are missing or about to run out.
pub fn in_folder(folder: &Path) -> Result<(PathBuf, PathBuf), TlsError> {
    let (cert, key) = (folder.join("localhost.crt"), folder.join("localhost.key"));
    if !is_fresh(&cert) || !key.is_file() {
        make(folder, &cert, &key).map_err(|error| TlsError(format!("--tls self-signed: {error}")))?;
        tracing::info!(
            file = %cert.display(),
            "a certificate for localhost was made; to trust it, add this file to the authorities of your browser \
             or system, or give it to a client (curl --cacert)"
        );
    }
    Ok((cert, key))
}

fn is_fresh(cert: &Path) -> bool {
    let made = fs::metadata(cert).and_then(|found| found.modified());
    made.is_ok_and(|made| SystemTime::now().duration_since(made).unwrap_or_default() < RENEW_AFTER)
}

fn make(folder: &Path, cert: &Path, key: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let pair = KeyPair::generate()?;
    let mut params = CertificateParams::new(NAMES.map(String::from))?;
    params.distinguished_name.push(DnType::CommonName, "Duplex on this machine");
    params.not_before = OffsetDateTime::now_utc() - time::Duration::days(1);
    params.not_after = OffsetDateTime::now_utc() + time::Duration::days(DAYS);
    let made = params.self_signed(&pair)?;
    fs::create_dir_all(folder)?;
    secret::write(key, &pair.serialize_pem())?;
    fs::write(cert, made.pem())?;
    Ok(())
}
