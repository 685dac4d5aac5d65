//! `TestProxy`: nginx, HAProxy or Caddy in front of a server, as a file of `tests/proxies` sets it up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::{Port, TestServer, eventually};

/// Where the set-ups are.
const SET_UPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/proxies");

/// A running proxy. Dropping it ends the process.
pub struct TestProxy {
    child: Child,
    port: Port,
    folder: TempDir,
}

/// The names of all set-ups, in their order.
pub fn set_ups() -> Vec<String> {
    let names = fs::read_dir(SET_UPS).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The program of a set-up, which its name begins with.
fn program(set_up: &str) -> &'static str {
    ["nginx", "haproxy", "caddy"].into_iter().find(|name| set_up.starts_with(name)).expect("a known proxy")
}

/// True if all three are installed. In CI they must be; elsewhere a missing one is said once.
pub fn are_installed() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let is_there = |name: &&str| path_of(name).is_some();
        let missing: Vec<&str> =
            ["nginx", "haproxy", "caddy"].into_iter().filter(|name| !is_there(name)).collect();
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

/// Also where only root has it on the PATH.
fn path_of(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

impl TestProxy {
    /// Starts one before the server. Returns once it listens.
    pub async fn before(server: &TestServer, set_up: &str) -> TestProxy {
        let (port, folder) = (Port::free(), TempDir::new().unwrap());
        readable_by_all(folder.path());
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".into(), "app.example.org".into()]).unwrap();
        let (cert, key) = (cert.pem(), signing_key.serialize_pem());
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        // HAProxy reads both from one file.
        let both = file("both.pem", format!("{cert}{key}"));
        let (cert, key) = (file("cert.pem", cert), file("key.pem", key));
        let cert = if program(set_up) == "haproxy" { both } else { cert };
        let text = fs::read_to_string(Path::new(SET_UPS).join(set_up)).unwrap();
        let text = text
            .replace("{LISTEN_PORT}", &port.address().port().to_string())
            .replace("{UPSTREAM_PORT}", &server.address().port().to_string())
            .replace("{FOLDER}", &folder.path().display().to_string())
            .replace("{CERT}", &cert)
            .replace("{KEY}", &key);
        let configuration = file("configuration", text);
        let child = command(program(set_up), &configuration, folder.path()).spawn().unwrap();
        let mut proxy = TestProxy { child, port, folder };
        eventually(&format!("{set_up} listens"), async || {
            assert_eq!(proxy.child.try_wait().unwrap(), None, "{set_up} ended: {}", proxy.said());
            TcpStream::connect(proxy.port.address()).await.ok()
        })
        .await;
        proxy
    }

    /// The public address.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port.address().port())
    }

    /// The certificate that vouches for it.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }
}

fn command(program: &str, configuration: &str, folder: &Path) -> Command {
    let mut command = Command::new(path_of(program).expect("it is installed"));
    match program {
        "nginx" => command.arg("-p").arg(folder).args(["-c", configuration]),
        "haproxy" => command.args(["-db", "-f", configuration]),
        _ => command.args(["run", "--adapter", "caddyfile", "--config", configuration]),
    };
    // Caddy keeps its state at home.
    command.env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("XDG_DATA_HOME", folder);
    let said = fs::File::create(folder.join("said")).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
    command
}

/// Started by root, nginx works as somebody else.
fn readable_by_all(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        // Politely: nginx's workers end with its master only then.
        let pid = self.child.id().to_string();
        Command::new("sh").args(["-c", "kill -TERM $0", &pid]).status().ok();
        self.child.wait().ok();
    }
}
