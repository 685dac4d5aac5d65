//! `Authority`: a local ACME server (pebble), which issues certificates that nobody trusts.

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

/// A running authority. Dropping it ends the process.
pub struct Authority {
    folder: TempDir,
    /// For the authority's own address.
    own: Certificate,
    directory: Port,
    management: Port,
    child: Child,
}

impl Authority {
    /// One that looks for the nodes it is asked about on that port of this machine. Nothing where pebble is not
    /// installed, except in CI, which must not pass without what is tested with it.
    pub async fn looking_at(node: SocketAddr) -> Option<Authority> {
        let (folder, own) = (TempDir::new().unwrap(), Certificate::of(&PKCS_ECDSA_P256_SHA256));
        let (directory, management) = (Port::free(), Port::free());
        let config = json!({ "pebble": {
            "listenAddress": directory.address().to_string(),
            "managementListenAddress": management.address().to_string(),
            "certificate": own.cert(), "privateKey": own.key(),
            "httpPort": 1, "tlsPort": node.port(), "ocspResponderURL": "", "externalAccountBindingRequired": false,
        }});
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let started = Command::new("pebble")
            .arg("-config")
            .arg(folder.path().join("config.json"))
            // It would wait some seconds before it looks, and refuse a nonce now and then, as others do.
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
        let authority = Authority { folder, own, directory, management, child };
        eventually("the authority answers", async || authority.ask(&authority.directory, "/dir").await).await;
        Some(authority)
    }

    /// What a node needs to be told of it.
    pub fn flags(&self) -> Vec<String> {
        let flags = ["--tls", "acme", "--acme-domain", "localhost", "--acme-contact", "ada@example.org"];
        let own = self.own.cert();
        let mine =
            ["--acme-directory", &format!("https://localhost:{}/dir", self.directory.address().port())]
                .map(String::from)
                .into_iter()
                .chain(["--acme-root".into(), own.display().to_string()]);
        flags.map(String::from).into_iter().chain(mine).collect()
    }

    /// The file with the root of what it issues.
    pub async fn root(&self) -> PathBuf {
        let answer = self.ask(&self.management, "/roots/0").await.expect("it is running");
        let (_, pem) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let file = self.folder.path().join("root.pem");
        fs::write(&file, pem).unwrap();
        file
    }

    async fn ask(&self, port: &Port, path: &str) -> Option<String> {
        let stream = connect(port.address(), &self.own.cert(), &TLS13, "http/1.1").await.ok()?;
        Some(get(stream, path).await).filter(|answer| answer.starts_with("HTTP/1.1 200"))
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
