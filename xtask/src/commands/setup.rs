//! `cargo xtask setup`: installs missing tools, into the project wherever possible.

use crate::args::parse_flags;
use crate::failure::{Failure, Result};
use crate::tools::{self, Tool};
use crate::{cargo, console, process, project};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Installs the WASM target and more on request: `--with-browser` for most tests, `--with-proxies` for those behind
/// proxies, `--with-firefox` for the long ones, `--with-trunk` for the long ones and for `trunk serve`.
pub(super) fn run(args: &[String]) -> Result {
    let flags = parse_flags(args, &["--with-browser", "--with-proxies", "--with-firefox", "--with-trunk"])?;
    tools::install_wasm_target()?;
    if flags.contains(&"--with-browser") {
        install_test_tools()?;
    }
    if flags.contains(&"--with-proxies") {
        install_proxies()?;
    }
    if flags.contains(&"--with-firefox") {
        install_firefox()?;
    }
    if flags.contains(&"--with-trunk") {
        install_trunk()?;
    }
    console::note("everything is installed; `cargo xtask run` builds and serves the app");
    Ok(())
}

/// Installs trunk and the `wasm-bindgen` that it calls.
fn install_trunk() -> Result {
    install(&Tool::trunk(), "for `trunk serve`; about 4 minutes, once")?;
    install(&Tool::wasm_bindgen()?, "trunk needs exactly this version; about 2 minutes, once")?;
    let bin = project::tools().join("bin");
    console::note(&format!("for `trunk serve`: export PATH={}:\"$PATH\"", shell_quoted(&bin)));
    Ok(())
}

fn shell_quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Installs rustfmt, clippy, Chromium with its driver, a certificate authority, faketime and a C++ compiler.
fn install_test_tools() -> Result {
    for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        if !runs(program, "--version") {
            console::step(&format!("adding {component}"), "the tests check the source code with it");
            process::run(&mut process::command("rustup", &format!("component add {component}")))?;
        }
    }
    let tools = [
        (tools::chromium(), "chromium"),
        (tools::chromedriver(), "chromium-driver"),
        (tools::find_on_path(&["pebble"]), "pebble"),
        (tools::find_on_path(&["faketime"]), "faketime"),
        (tools::cxx_compiler(), "g++"),
    ];
    let missing: Vec<&str> =
        tools.iter().filter(|(path, _)| path.is_none()).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        install_packages(&missing.join(" "))?;
    }
    // Ubuntu has no such package.
    if tools::headless_shell().is_none() && runs("apt-cache", "show chromium-headless-shell") {
        install_packages("chromium-headless-shell")?;
    }
    Ok(())
}

/// Returns true if the program can be started and succeeds.
fn runs(program: &str, args: &str) -> bool {
    process::capture(program, args).is_some()
}

/// Installs the proxies that some tests run behind, and stops the services that Debian starts with them.
fn install_proxies() -> Result {
    let missing: Vec<&str> =
        tools::PROXIES.into_iter().filter(|name| tools::find_system_program(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    install_packages(&missing.join(" "))?;
    for name in missing {
        if !runs("systemctl", &format!("disable --now {name}")) {
            console::note(&format!(
                "{name} may now run as a service; to stop it: systemctl disable --now {name}"
            ));
        }
    }
    Ok(())
}

fn install_firefox() -> Result {
    if tools::firefox().is_none() {
        install_packages("firefox-esr")?;
    }
    install(&Tool::geckodriver(), "drives Firefox in the long tests; about 2 minutes, once")
}

/// Downloads a tool if `cargo binstall` is there and finds it, or compiles it: unoptimised, as it runs rarely.
fn install(tool: &Tool, reason: &str) -> Result {
    if tool.find().is_some() {
        return Ok(());
    }
    let Tool { name, package, version } = tool;
    let root = project::tools();
    console::step(&format!("installing {name} {version} into {}", root.display()), reason);
    let install_command = |args: &str| {
        let mut command = cargo::command(args);
        command.arg("--root").arg(&root).arg(format!("{package}@{version}"));
        command
    };
    // Versions in the package's own lock file may have been yanked.
    let mut attempts = vec!["install --debug --force --locked", "install --debug --force"];
    if tools::find_on_path(&["cargo-binstall"]).is_some() {
        attempts.insert(0, "binstall --no-confirm --disable-strategies compile");
    }
    for attempt in attempts {
        match process::run(&mut install_command(attempt)) {
            Err(Failure::Error(_)) => console::note("this attempt failed"),
            other => other?,
        }
        if tool.find().is_some() {
            return Ok(());
        }
    }
    let repeat = process::command_line(&install_command("install"));
    Err(format!("{name} {version} could not be installed; to see why:\n    {repeat}").into())
}

/// Installs Debian or Ubuntu packages. Fails if that needs a password.
fn install_packages(packages: &str) -> Result {
    let is_root = process::capture("id", "-u").is_some_and(|id| id.trim() == "0");
    if !runs("apt-get", "--version") || !(is_root || runs("sudo", "-n true")) {
        return Err(format!(
            "the tests need {packages} (names of Debian packages): install them, or set CHROMIUM, CHROMEDRIVER and \
             FIREFOX to the paths of your browsers"
        )
        .into());
    }
    console::step(
        &format!("installing {packages} with apt-get"),
        "the tests use real browsers, proxies and a certificate authority, set clocks wrong, and build a fuzzer",
    );
    let (program, prefix) = if is_root { ("env", "") } else { ("sudo", "-n env ") };
    let apt_get = |args: &str| {
        let args = format!("{prefix}DEBIAN_FRONTEND=noninteractive apt-get {args}");
        process::run(&mut process::command(program, &args))
    };
    // One update serves all installations of a run.
    static UPDATED: AtomicBool = AtomicBool::new(false);
    if !UPDATED.swap(true, Ordering::Relaxed) {
        apt_get("update")?;
    }
    apt_get(&format!("install --yes --no-install-recommends {packages}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_for_a_shell() {
        assert_eq!(shell_quoted(Path::new("/a b/it's/$x")), r"'/a b/it'\''s/$x'");
    }
}
