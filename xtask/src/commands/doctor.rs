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
    let has_rust =
        required("Rust", version(Path::new("rustc")), "install it with rustup, <https://rustup.rs>");
    let wasm_target = tools::has_wasm_target().then(|| WASM.into());
    let has_wasm = required("Rust's WASM target", wasm_target, "`cargo xtask setup` adds it");
    check_test_tools();
    let has_data_folder = check_machine();
    if has_rust && has_wasm && has_data_folder { Ok(()) } else { Err(Failure::Reported) }
}

/// Prints a check of something that `run` does not work without. Returns true if it was found.
fn required(name: &str, found: Option<String>, remedy: &str) -> bool {
    let is_found = found.is_some();
    print_check(name, found, remedy, &console::coloured("\x1b[31m", "missing"));
    is_found
}

/// Prints a check of something that `run` can do without.
fn optional(name: &str, found: Option<String>, remedy: &str) {
    print_check(name, found, remedy, &console::coloured("\x1b[33m", "absent "));
}

/// Prints a description of what was found, or advice for when it is missing.
fn print_check(name: &str, found: Option<String>, remedy: &str, missing: &str) {
    match found {
        Some(found) => println!("{} {name}: {found}", console::coloured("\x1b[32m", "ok     ")),
        None => println!("{missing} {name}: {remedy}"),
    }
}

fn check_test_tools() {
    let version_of = |path: Option<PathBuf>| path.and_then(|path| version(&path));
    let path_of = |name: &str| tools::find_on_path(&[name]).map(|path| path.display().to_string());
    let has_proxies = tools::PROXIES.iter().all(|name| tools::find_system_program(name).is_some());
    optional("Chromium", version_of(tools::chromium()), WITH_BROWSER);
    optional(
        "headless shell",
        version_of(tools::headless_shell()),
        "halves the time of the browser tests; `cargo xtask setup --with-browser` installs it if the system offers it",
    );
    optional("chromedriver", version_of(tools::chromedriver()), WITH_BROWSER);
    optional("pebble", path_of("pebble"), WITH_BROWSER);
    optional("faketime", path_of("faketime"), WITH_BROWSER);
    optional(
        "proxies",
        has_proxies.then(|| tools::PROXIES.join(", ")),
        "only for the tests behind proxies; `cargo xtask setup --with-proxies` installs nginx, HAProxy and Caddy",
    );
    optional("C++ compiler", version_of(tools::cxx_compiler()), WITH_BROWSER);
    optional("Firefox", version_of(tools::firefox()), WITH_FIREFOX);
    installed(Tool::geckodriver(), WITH_FIREFOX);
}

/// Returns true if the machine has what `run` requires.
fn check_machine() -> bool {
    installed(
        Tool::trunk(),
        "only for `trunk serve` and the long tests; `cargo xtask setup --with-trunk` installs it",
    );
    optional(
        "free port 3000",
        free_port(),
        "the app or another program is using it: `run --listen 127.0.0.1:3001 --data DIR` starts a second \
             server with its own port and data",
    );
    required(
        "data folder",
        writable_data_folder(),
        "it is not writable: fix its permissions, or use `run --data DIR`",
    )
}

fn installed(tool: Tool, remedy: &str) {
    let path = tool.find().map(|path| path.display().to_string());
    optional(&format!("{} {}", tool.name, tool.version), path, remedy);
}

fn version(program: &Path) -> Option<String> {
    let text = process::capture(program, "--version")?;
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
