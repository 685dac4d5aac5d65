//! `cargo xtask setup`: installs what is missing, into the project wherever that can be.

use super::{flags, fuzz};
use crate::failure::{Failure, Result};
use crate::process::{self, cargo, program};
use crate::tools::{self, Tool, WASM};
use crate::{project, say};

/// `--with-browser` adds what only the tests need, `--with-firefox` what only the long ones do.
pub(super) fn run(args: &[String]) -> Result {
    let given = flags(args, &["--with-browser", "--with-firefox"])?;
    client_tools()?;
    if given.contains(&"--with-browser") {
        test_tools()?;
    }
    if given.contains(&"--with-firefox") {
        firefox_tools()?;
    }
    say::note("all there; `cargo xtask run` builds and serves");
    let bin = project::tools().join("bin");
    say::note(&format!("for a `trunk serve` of your own: export PATH=\"{}:$PATH\"", bin.display()));
    Ok(())
}

/// What the client is built with. Silent and quick when all is there.
pub(crate) fn client_tools() -> Result {
    if !tools::has_wasm_target() {
        if tools::on_path(&["rustup"]).is_none() {
            return Err(format!("Rust's {WASM} target is missing: install it as you installed Rust").into());
        }
        say::step("adding Rust's WASM target", "the client is compiled for the browser");
        process::run(&mut program("rustup", &format!("target add {WASM}")))?;
    }
    install(&Tool::trunk(), "it builds the client's page; about 4 minutes, once")?;
    install(&Tool::wasm_bindgen()?, "it must be of the very version in Cargo.lock; about 2 minutes, once")
}

/// What the tests need besides: format, lint, a browser with its driver, an authority for certificates, and the
/// compiler of the fuzzer.
fn test_tools() -> Result {
    for (component, tool) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        if process::answer(&mut program(tool, "--version")).is_none() {
            say::step(&format!("adding {component}"), "the tests check the source with it");
            process::run(&mut program("rustup", &format!("component add {component}")))?;
        }
    }
    let mut packages = Vec::new();
    packages.extend(tools::chromium().is_none().then_some("chromium"));
    packages.extend(tools::chromedriver().is_none().then_some("chromium-driver"));
    packages.extend(tools::on_path(&["pebble"]).is_none().then_some("pebble"));
    packages.extend(fuzz::compiler().is_none().then_some("g++"));
    if packages.is_empty() { Ok(()) } else { install_packages(&packages.join(" ")) }
}

/// What the tests in Firefox need.
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
    say::step(&format!("installing {name} {version} into {}", root.display()), why);
    let into = |words: &str| {
        let mut command = cargo(words);
        command.arg("--root").arg(&root).arg(format!("{package}@{version}"));
        command
    };
    let mut ways = Vec::new();
    if tools::on_path(&["cargo-binstall"]).is_some() {
        ways.push(into("binstall --no-confirm --disable-strategies compile"));
    }
    ways.push(into("install --debug --force --locked"));
    // The versions that the package was published with may have been withdrawn since.
    ways.push(into("install --debug --force"));
    for mut way in ways {
        process::run(&mut way).or_else(pass_over)?;
        if tool.find().is_some() {
            return Ok(());
        }
    }
    Err(format!(
        "{name} {version} could not be installed; to see why:\n    {}",
        process::shown(&into("install"))
    )
    .into())
}

/// A way that failed is followed by the next one, unless the person wants no more.
fn pass_over(failure: Failure) -> Result {
    match failure {
        Failure::Because(_) => {
            say::note("that way did not work");
            Ok(())
        }
        other => Err(other),
    }
}

/// Debian's and Ubuntu's packages, when we may install them without asking for a password.
fn install_packages(packages: &str) -> Result {
    let works = |name: &str, words: &str| process::answer(&mut program(name, words)).is_some();
    let root = process::answer(&mut program("id", "-u")).is_some_and(|id| id.trim() == "0");
    let (first, sudo) = if root { ("env", "") } else { ("sudo", "-n env ") };
    if !works("apt-get", "--version") || !(root || works("sudo", "-n true")) {
        return Err(format!(
            "the tests need {packages} (these are Debian's names): install that, or name the browsers that you have \
             in CHROMIUM, CHROMEDRIVER and FIREFOX"
        )
        .into());
    }
    say::step(
        &format!("installing {packages} with apt-get"),
        "the tests drive real browsers, ask a real authority for certificates, and build a fuzzer",
    );
    let apt = |words: &str| {
        process::run(&mut program(first, &format!("{sudo}DEBIAN_FRONTEND=noninteractive apt-get {words}")))
    };
    apt("update")?;
    apt(&format!("install --yes --no-install-recommends {packages}"))
}
