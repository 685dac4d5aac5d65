//! `TestProxy`: nginx, HAProxy or Caddy in front of a server, configured by a file of `tests/proxies`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::{Port, TestServer, eventually};

/// The folder of the configurations.
const CONFIGURATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/proxies");

/// A running proxy. Dropping it ends the process.
pub struct TestProxy {
    child: Child,
    port: Port,
    folder: TempDir,
}

/// Returns the names of all configurations, sorted.
pub fn configurations() -> Vec<String> {
    let names =
        fs::read_dir(CONFIGURATIONS).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Returns the program of a configuration, with which its name begins.
fn program(configuration: &str) -> &'static str {
    ["nginx", "haproxy", "caddy"]
        .into_iter()
        .find(|name| configuration.starts_with(name))
        .expect("a known proxy")
}

/// Returns true if all three proxies are installed. Panics in CI if one is missing; elsewhere prints it once.
pub fn are_installed() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let is_installed = |name: &&str| path_of(name).is_some();
        let missing: Vec<&str> =
            ["nginx", "haproxy", "caddy"].into_iter().filter(|name| !is_installed(name)).collect();
        if missing.is_empty() {
            return true;
        }
        assert!(
            std::env::var_os("CI").is_none(),
            "{missing:?} are missing: CI must test behind real proxies"
        );
        eprintln!("SKIPPED: {missing:?} are missing; `cargo xtask setup --with-proxies` installs them");
        false
    })
}

/// Finds a program on the PATH, or in the folders that only root has on it.
fn path_of(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

impl TestProxy {
    /// Starts a proxy in front of a server, and returns once it listens.
    pub async fn before(server: &TestServer, name: &str) -> TestProxy {
        let port = Port::free();
        let folder = TempDir::new().unwrap();
        readable_by_all(folder.path());
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".into(), "app.example.org".into()]).unwrap();
        let cert = cert.pem();
        let key = signing_key.serialize_pem();
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        // HAProxy reads both from one file.
        let both = file("both.pem", format!("{cert}{key}"));
        let cert = file("cert.pem", cert);
        let key = file("key.pem", key);
        let cert = if program(name) == "haproxy" { both } else { cert };
        let text = fs::read_to_string(Path::new(CONFIGURATIONS).join(name)).unwrap();
        let text = text
            .replace("{LISTEN_PORT}", &port.address().port().to_string())
            .replace("{UPSTREAM_PORT}", &server.address().port().to_string())
            .replace("{FOLDER}", &folder.path().display().to_string())
            .replace("{CERT}", &cert)
            .replace("{KEY}", &key);
        let configuration = file("configuration", text);
        let child = command(program(name), &configuration, folder.path()).spawn().unwrap();
        let mut proxy = TestProxy { child, port, folder };
        eventually(&format!("{name} listens"), async || {
            assert_eq!(proxy.child.try_wait().unwrap(), None, "{name} ended: {}", proxy.stderr());
            TcpStream::connect(proxy.port.address()).await.ok()
        })
        .await;
        proxy
    }

    /// Returns the public address.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port.address().port())
    }

    /// Returns the file of the certificate to trust.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    fn stderr(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }
}

fn command(program: &str, configuration: &str, folder: &Path) -> Command {
    let mut command = Command::new(path_of(program).expect("it is installed"));
    match program {
        "nginx" => command.arg("-p").arg(folder).args(["-c", configuration]),
        "haproxy" => command.args(["-db", "-f", configuration]),
        _ => command.args(["run", "--adapter", "caddyfile", "--config", configuration]),
    };
    // Caddy keeps its state in the home folder.
    command.env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("XDG_DATA_HOME", folder);
    let stderr = fs::File::create(folder.join("stderr")).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    command
}

/// Lets all users read the folder: if root starts nginx, its workers run as another user.
fn readable_by_all(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        // With SIGTERM, since nginx's master then ends its workers too.
        let pid = self.child.id().to_string();
        Command::new("sh").args(["-c", "kill -TERM $0", &pid]).status().ok();
        self.child.wait().ok();
    }
}
