//! `cargo xtask doctor`: what is there, what is missing, and how to remedy it. It changes nothing.

use crate::args::parse_flags;
use crate::failure::{Failure, Result};
use crate::process;
use crate::tools::{self, Tool, WASM};
use crate::{console, project};
use std::net::TcpListener;
use std::path::Path;

/// Fails if something is missing that `run` needs.
pub(super) fn run(args: &[String]) -> Result {
    parse_flags(args, &[])?;
    let checks = checks();
    for check in &checks {
        println!("{}", check.line());
    }
    if checks.iter().any(|check| check.required && check.found.is_none()) {
        Err(Failure::Reported)
    } else {
        Ok(())
    }
}

struct Check {
    name: String,
    found: Option<String>,
    /// What to do when it is missing.
    remedy: &'static str,
    /// Whether `run` does not work without it.
    required: bool,
}

impl Check {
    fn line(&self) -> String {
        let Check { name, remedy, .. } = self;
        match &self.found {
            Some(found) => format!("{} {name}: {found}", console::coloured("\x1b[32m", "ok     ")),
            None if self.required => format!("{} {name}: {remedy}", console::coloured("\x1b[31m", "missing")),
            None => format!("{} {name}: {remedy}", console::coloured("\x1b[33m", "absent ")),
        }
    }
}

fn checks() -> Vec<Check> {
    let check = |name: &str, found: Option<String>, required, remedy| Check {
        name: name.into(),
        found,
        remedy,
        required,
    };
    let program_found = |path: Option<std::path::PathBuf>| path.and_then(|path| version(&path));
    let mut checks = vec![
        check("Rust", version(Path::new("rustc")), true, "install it with rustup, <https://rustup.rs>"),
        check(
            "Rust's WASM target",
            tools::has_wasm_target().then(|| WASM.into()),
            true,
            "`cargo xtask setup` adds it",
        ),
    ];
    let installed = |tool: Tool, remedy| {
        let found = tool.find().map(|path| path.display().to_string());
        check(&format!("{} {}", tool.name, tool.version), found, false, remedy)
    };
    let with_firefox = "only for the long tests; `cargo xtask setup --with-firefox` installs it";
    let with_browser = "only for the tests; `cargo xtask setup --with-browser` installs it";
    checks.extend([
        check("Chromium", program_found(tools::chromium()), false, with_browser),
        check(
            "headless shell",
            program_found(tools::headless_shell()),
            false,
            "halves the time of the browser tests; `cargo xtask setup --with-browser` installs it where there is one",
        ),
        check("chromedriver", program_found(tools::chromedriver()), false, with_browser),
        check(
            "pebble",
            tools::find_on_path(&["pebble"]).map(|path| path.display().to_string()),
            false,
            with_browser,
        ),
        check(
            "faketime",
            tools::find_on_path(&["faketime"]).map(|path| path.display().to_string()),
            false,
            with_browser,
        ),
        check(
            "proxies",
            tools::PROXIES.iter().map(|name| tools::find_system_program(name)).collect::<Option<Vec<_>>>().map(|_| tools::PROXIES.join(", ")),
            false,
            "only for the tests of `doctor`; `cargo xtask setup --with-proxies` installs nginx, HAProxy and Caddy",
        ),
        check("C++ compiler", program_found(tools::cxx_compiler()), false, with_browser),
        check("Firefox", program_found(tools::firefox()), false, with_firefox),
        installed(Tool::geckodriver(), with_firefox),
        installed(
            Tool::trunk(),
            "only for `trunk serve` and the long tests; `cargo xtask setup --with-trunk` installs it",
        ),
        check(
            "free port 3000",
            port_free(),
            false,
            "the app runs already, or another program has it: `run --listen 127.0.0.1:3001` takes another, and \
             `--data` another folder",
        ),
        check(
            "data folder",
            data_writable(),
            true,
            "it cannot be written: mend its rights, or `run -- --data DIR`",
        ),
    ]);
    checks
}

fn version(program_path: &Path) -> Option<String> {
    let text = process::capture(&mut process::command(program_path, "--version"))?;
    text.lines().next().map(|line| line.trim().to_owned())
}

fn port_free() -> Option<String> {
    TcpListener::bind(("127.0.0.1", 3000)).ok().map(|_| "on 127.0.0.1".into())
}

/// Writes and removes a file in `data/`, or beside where it would be.
fn data_writable() -> Option<String> {
    let data = project::root().join("data");
    let folder = if data.is_dir() { &data } else { project::root() };
    let probe = folder.join(".doctor");
    std::fs::write(&probe, "").and_then(|()| std::fs::remove_file(&probe)).ok()?;
    Some(format!("{} can be written", data.display()))
}
