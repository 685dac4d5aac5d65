//! `AcmeServer`: a local ACME server (pebble), which issues certificates that nobody trusts.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rcgen::PKCS_ECDSA_P256_SHA256;
use rustls::version::TLS13;
use serde_json::json;
use tempfile::TempDir;

use super::tls::{Certificate, connect, get};
use super::{Port, eventually};

/// A running ACME server. Dropping it ends the process.
pub struct AcmeServer {
    folder: TempDir,
    /// The certificate of the ACME server itself.
    certificate: Certificate,
    directory: Port,
    management: Port,
    child: Child,
}

impl AcmeServer {
    /// Starts an ACME server that validates domains by connecting to the port of `node`. Returns `None` if pebble is
    /// not installed, except in CI, where it panics: CI must not pass without these tests.
    pub async fn validating(node: SocketAddr) -> Option<AcmeServer> {
        let folder = TempDir::new().unwrap();
        let certificate = Certificate::of(&PKCS_ECDSA_P256_SHA256);
        let directory = Port::free();
        let management = Port::free();
        let config = json!({ "pebble": {
            "listenAddress": directory.address().to_string(),
            "managementListenAddress": management.address().to_string(),
            "certificate": certificate.cert(), "privateKey": certificate.key(),
            "httpPort": 1, "tlsPort": node.port(), "ocspResponderURL": "", "externalAccountBindingRequired": false,
        }});
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let started = Command::new("pebble")
            .arg("-config")
            .arg(folder.path().join("config.json"))
            // By default, it sleeps before it validates, and rejects some nonces.
            .envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "0")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = started else {
            let missing = "pebble is missing: `cargo xtask setup --with-browser` installs it";
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            eprintln!("SKIPPED: {missing}");
            return None;
        };
        let server = AcmeServer { folder, certificate, directory, management, child };
        eventually("the ACME server answers", async || server.get(&server.directory, "/dir").await).await;
        Some(server)
    }

    /// Returns the flags of a node that gets its certificates from this server.
    pub fn flags(&self) -> Vec<String> {
        let directory = format!("https://localhost:{}/dir", self.directory.address().port());
        let root = self.certificate.cert().display().to_string();
        let flags = [
            ["--tls", "acme"],
            ["--acme-domain", "localhost"],
            ["--acme-contact", "ada@example.org"],
            ["--acme-directory", &directory],
            ["--acme-root", &root],
        ];
        flags.as_flattened().iter().map(|flag| (*flag).to_owned()).collect()
    }

    /// Returns a file with the root of the issued certificates.
    pub async fn root(&self) -> PathBuf {
        let answer = self.get(&self.management, "/roots/0").await.expect("it is running");
        let (_, pem) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let file = self.folder.path().join("root.pem");
        fs::write(&file, pem).unwrap();
        file
    }

    async fn get(&self, port: &Port, path: &str) -> Option<String> {
        let stream = connect(port.address(), &self.certificate.cert(), &TLS13, "http/1.1").await.ok()?;
        Some(get(stream, path).await).filter(|answer| answer.starts_with("HTTP/1.1 200"))
    }
}

impl Drop for AcmeServer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
