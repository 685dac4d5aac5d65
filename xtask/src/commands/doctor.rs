//! `cargo xtask doctor`: reports which tools are installed and how to fix what is missing. It changes nothing.

use crate::args::parse_flags;
use crate::failure::{Failure, Result};
use crate::tools::{self, Tool, WASM};
use crate::{console, process, project};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

const WITH_BROWSER: &str = "only for the tests; `cargo xtask setup --with-browser` installs it";
const WITH_FIREFOX: &str = "only for the long tests; `cargo xtask setup --with-firefox` installs it";

/// Fails if something is missing that `run` requires.
pub(super) fn run(args: &[String]) -> Result {
    parse_flags(args, &[])?;
    let checks: Vec<Check> = run_checks().into_iter().chain(test_checks()).chain(machine_checks()).collect();
    for check in &checks {
        println!("{}", check.line());
    }
    let is_broken = checks.iter().any(|check| check.required && check.found.is_none());
    if is_broken { Err(Failure::Reported) } else { Ok(()) }
}

/// Result of one check.
struct Check {
    name: String,
    /// Description of what was found, or None if it is missing.
    found: Option<String>,
    /// Advice for when it is missing.
    remedy: &'static str,
    /// True if `run` does not work without it.
    required: bool,
}

impl Check {
    fn required(name: &str, found: Option<String>, remedy: &'static str) -> Check {
        Check { name: name.into(), found, remedy, required: true }
    }

    fn optional(name: &str, found: Option<String>, remedy: &'static str) -> Check {
        Check { name: name.into(), found, remedy, required: false }
    }

    fn line(&self) -> String {
        let Check { name, remedy, .. } = self;
        match &self.found {
            Some(found) => format!("{} {name}: {found}", console::coloured("\x1b[32m", "ok     ")),
            None if self.required => format!("{} {name}: {remedy}", console::coloured("\x1b[31m", "missing")),
            None => format!("{} {name}: {remedy}", console::coloured("\x1b[33m", "absent ")),
        }
    }
}

fn run_checks() -> [Check; 2] {
    let wasm_target = tools::has_wasm_target().then(|| WASM.into());
    [
        Check::required("Rust", version(Path::new("rustc")), "install it with rustup, <https://rustup.rs>"),
        Check::required("Rust's WASM target", wasm_target, "`cargo xtask setup` adds it"),
    ]
}

fn test_checks() -> [Check; 9] {
    let version_of = |path: Option<PathBuf>| path.and_then(|path| version(&path));
    let path_of = |name: &str| tools::find_on_path(&[name]).map(|path| path.display().to_string());
    let has_proxies = tools::PROXIES.iter().all(|name| tools::find_system_program(name).is_some());
    [
        Check::optional("Chromium", version_of(tools::chromium()), WITH_BROWSER),
        Check::optional(
            "headless shell",
            version_of(tools::headless_shell()),
            "halves the time of the browser tests; `cargo xtask setup --with-browser` installs it if the system offers it",
        ),
        Check::optional("chromedriver", version_of(tools::chromedriver()), WITH_BROWSER),
        Check::optional("pebble", path_of("pebble"), WITH_BROWSER),
        Check::optional("faketime", path_of("faketime"), WITH_BROWSER),
        Check::optional(
            "proxies",
            has_proxies.then(|| tools::PROXIES.join(", ")),
            "only for the tests behind proxies; `cargo xtask setup --with-proxies` installs nginx, HAProxy and Caddy",
        ),
        Check::optional("C++ compiler", version_of(tools::cxx_compiler()), WITH_BROWSER),
        Check::optional("Firefox", version_of(tools::firefox()), WITH_FIREFOX),
        installed(Tool::geckodriver(), WITH_FIREFOX),
    ]
}

fn machine_checks() -> [Check; 3] {
    [
        installed(
            Tool::trunk(),
            "only for `trunk serve` and the long tests; `cargo xtask setup --with-trunk` installs it",
        ),
        Check::optional(
            "free port 3000",
            free_port(),
            "the app or another program is using it: `run --listen 127.0.0.1:3001 --data DIR` starts a second \
             server with its own port and data",
        ),
        Check::required(
            "data folder",
            writable_data_folder(),
            "it is not writable: fix its permissions, or use `run --data DIR`",
        ),
    ]
}

fn installed(tool: Tool, remedy: &'static str) -> Check {
    let path = tool.find().map(|path| path.display().to_string());
    Check::optional(&format!("{} {}", tool.name, tool.version), path, remedy)
}

fn version(program: &Path) -> Option<String> {
    let text = process::capture(&mut process::command(program, "--version"))?;
    text.lines().next().map(|line| line.trim().to_owned())
}

fn free_port() -> Option<String> {
    TcpListener::bind(("127.0.0.1", 3000)).ok().map(|_| "on 127.0.0.1".into())
}

/// Writes and removes a file in `data/`, or in the project's folder while there is no `data/`.
fn writable_data_folder() -> Option<String> {
    let data = project::root().join("data");
    let folder = if data.is_dir() { &data } else { project::root() };
    let probe = folder.join(".doctor");
    std::fs::write(&probe, "").and_then(|()| std::fs::remove_file(&probe)).ok()?;
    Some(format!("{} is writable", data.display()))
}
