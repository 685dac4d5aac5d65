//! `cargo xtask setup`: installs what is missing, into the project wherever that can be.

use crate::args::parse_flags;
use crate::failure::{Failure, Result};
use crate::process;
use crate::tools::{self, Tool};
use crate::{cargo, console, project};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// `--with-browser` adds what most of the tests need, `--with-proxies` what those of `doctor` do, `--with-firefox` what
/// only the long ones do, and `--with-trunk` what they and `trunk serve` do.
pub(super) fn run(args: &[String]) -> Result {
    let given = parse_flags(args, &["--with-browser", "--with-proxies", "--with-firefox", "--with-trunk"])?;
    tools::install_wasm_target()?;
    if given.contains(&"--with-browser") {
        test_tools()?;
    }
    if given.contains(&"--with-proxies") {
        proxies()?;
    }
    if given.contains(&"--with-firefox") {
        firefox_tools()?;
    }
    if given.contains(&"--with-trunk") {
        trunk()?;
    }
    console::note("all there; `cargo xtask run` builds and serves");
    Ok(())
}

/// Trunk, and the `wasm-bindgen` that it calls.
fn trunk() -> Result {
    install(&Tool::trunk(), "for `trunk serve`; about 4 minutes, once")?;
    install(
        &Tool::wasm_bindgen()?,
        "trunk calls it, in the very version of Cargo.lock; about 2 minutes, once",
    )?;
    let bin = project::tools().join("bin");
    console::note(&format!("for `trunk serve`: export PATH={}:\"$PATH\"", shell_quoted(&bin)));
    Ok(())
}

/// A path as a shell reads it, whatever is in it.
fn shell_quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// The tools of the tests: format, lint, a browser with its driver, an authority for certificates, a clock that
/// can be set wrong, and the compiler of the fuzzer.
fn test_tools() -> Result {
    for (component, tool) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        if process::capture(&mut process::command(tool, "--version")).is_none() {
            console::step(&format!("adding {component}"), "the tests check the source with it");
            process::run(&mut process::command("rustup", &format!("component add {component}")))?;
        }
    }
    let mut packages = Vec::new();
    packages.extend(tools::chromium().is_none().then_some("chromium"));
    packages.extend(tools::chromedriver().is_none().then_some("chromium-driver"));
    packages.extend(tools::find_on_path(&["pebble"]).is_none().then_some("pebble"));
    packages.extend(tools::find_on_path(&["faketime"]).is_none().then_some("faketime"));
    packages.extend(tools::cxx_compiler().is_none().then_some("g++"));
    if !packages.is_empty() {
        install_packages(&packages.join(" "))?;
    }
    if tools::headless_shell().is_none() && apt_has("chromium-headless-shell") {
        install_packages("chromium-headless-shell")?;
    }
    Ok(())
}

/// True if the system's package manager has such a package; Ubuntu's has fewer than Debian's.
fn apt_has(package: &str) -> bool {
    process::capture(&mut process::command("apt-cache", &format!("show {package}"))).is_some()
}

/// Installs the proxies behind which `doctor` is tested. Debian starts each as a service, which nobody asked for.
fn proxies() -> Result {
    let missing: Vec<&str> =
        tools::PROXIES.into_iter().filter(|name| tools::find_system_program(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    install_packages(&missing.join(" "))?;
    for name in missing {
        let stopped = process::capture(&mut process::command("systemctl", &format!("disable --now {name}")));
        if stopped.is_none() {
            console::note(&format!(
                "if {name} runs as a service now, and you do not want it: systemctl disable --now {name}"
            ));
        }
    }
    Ok(())
}

/// Installs what the tests in Firefox need.
fn firefox_tools() -> Result {
    if tools::firefox().is_none() {
        install_packages("firefox-esr")?;
    }
    install(&Tool::geckodriver(), "it drives Firefox in the long tests; about 2 minutes, once")
}

/// Ready-made if `cargo binstall` is there and finds it, else compiled: unoptimised, as it runs seldom.
fn install(tool: &Tool, why: &str) -> Result {
    if tool.find().is_some() {
        return Ok(());
    }
    let Tool { name, package, version } = tool;
    let root = project::tools();
    console::step(&format!("installing {name} {version} into {}", root.display()), why);
    let into = |words: &str| {
        let mut command = cargo::command(words);
        command.arg("--root").arg(&root).arg(format!("{package}@{version}"));
        command
    };
    let mut ways = Vec::new();
    if tools::find_on_path(&["cargo-binstall"]).is_some() {
        ways.push(into("binstall --no-confirm --disable-strategies compile"));
    }
    ways.push(into("install --debug --force --locked"));
    // The versions that the package was published with may have been withdrawn since.
    ways.push(into("install --debug --force"));
    for mut way in ways {
        process::run(&mut way).or_else(ignore_failure)?;
        if tool.find().is_some() {
            return Ok(());
        }
    }
    Err(format!(
        "{name} {version} could not be installed; to see why:\n    {}",
        process::command_line(&into("install"))
    )
    .into())
}

/// A way that failed is followed by the next one, unless the person wants no more.
fn ignore_failure(failure: Failure) -> Result {
    match failure {
        Failure::Error(_) => {
            console::note("that way did not work");
            Ok(())
        }
        other => Err(other),
    }
}

/// Debian's and Ubuntu's packages, when we may install them without asking for a password.
fn install_packages(packages: &str) -> Result {
    let works = |name: &str, words: &str| process::capture(&mut process::command(name, words)).is_some();
    let root = process::capture(&mut process::command("id", "-u")).is_some_and(|id| id.trim() == "0");
    let (first, sudo) = if root { ("env", "") } else { ("sudo", "-n env ") };
    if !works("apt-get", "--version") || !(root || works("sudo", "-n true")) {
        return Err(format!(
            "the tests need {packages} (these are Debian's names): install that, or name the browsers that you have \
             in CHROMIUM, CHROMEDRIVER and FIREFOX"
        )
        .into());
    }
    console::step(
        &format!("installing {packages} with apt-get"),
        "the tests drive real browsers, run behind real proxies, ask a real authority for certificates, set clocks wrong, and build a fuzzer",
    );
    let apt = |words: &str| {
        process::run(&mut process::command(
            first,
            &format!("{sudo}DEBIAN_FRONTEND=noninteractive apt-get {words}"),
        ))
    };
    // Its lists are good for all that one run installs.
    static UPDATED: AtomicBool = AtomicBool::new(false);
    if !UPDATED.swap(true, Ordering::Relaxed) {
        apt("update")?;
    }
    apt(&format!("install --yes --no-install-recommends {packages}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_for_a_shell() {
        assert_eq!(shell_quoted(Path::new("/a b/it's/$x")), r"'/a b/it'\''s/$x'");
    }
}
