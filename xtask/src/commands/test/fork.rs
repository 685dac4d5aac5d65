//! Step `fork`: turns a copy of the project into a product, by the commands that the README names, and tests it.
//!
//! The copy shares our build folder, or all dependencies would be compiled again. Its packages get a different
//! version: cargo distinguishes packages in one build folder by name, version and path in the workspace, and would
//! otherwise take the copy's for ours.

use super::results::{Success, TestCount};
use super::walkthrough;
use crate::commands::{delete_demo, rename};
use crate::failure::Result;
use crate::tools;
use crate::{cargo, console, files, process, project, source_tree};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// Name of the fork. It has two words, which matters where it is part of an identifier.
const NAME: &str = rename::NAMES[0];

/// Server tests that depend on the project's name or its features. All others test the core: the step `tests` runs
/// them, and the fork only compiles them.
const PRODUCT_TESTS: &str = "architecture:: features:: wire:: http::contract http::identity http::metrics \
                                 http::pages http::settings http::start http::traces";

/// Forks the project and checks the result.
pub(super) fn check(tally: &mut TestCount) -> Result {
    if !delete_demo::is_present(project::root())? {
        console::note("the demo has been deleted: this project is a fork itself");
        return Ok(());
    }
    let fork = timed("copy", Fork::create)?;
    timed("rename", || fork.xtask(&format!("rename {NAME} --force")))?;
    fork.check_no_text_has(project::NAME)?;
    let is_new = timed("the README's feature", || walkthrough::apply(&fork.source))?;
    if !is_new {
        console::note("the README's feature is already there, or its chapter has been deleted");
    }
    timed("delete-demo", || fork.xtask("delete-demo --force"))?;
    timed("accept", || fork.xtask("accept"))?;
    timed("format", || process::run(&mut fork.cargo("fmt --all --check")))?;
    timed("lint", || fork.lint())?;
    timed("tests", || fork.test(tally))?;
    if is_new {
        timed("the feature in a browser", || fork.browser_tests(tally))?;
    }
    Ok(())
}

/// Runs one part and prints its duration.
fn timed<T>(part: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let result = work()?;
    console::note(&format!("fork: {part} took {} s", started.elapsed().as_secs()));
    Ok(result)
}

/// Copy of the project that becomes a product.
struct Fork {
    source: PathBuf,
    /// Folder of its build results.
    target: PathBuf,
    /// Folder of intermediate results: the project's own build folder.
    build: PathBuf,
}

impl Fork {
    fn create() -> Result<Fork> {
        let build = cargo::target_dir()?;
        let folder = build.join("fork");
        let fork = Fork { source: folder.join("source"), target: folder.join("target"), build };
        // There are few results, and stale ones could be taken for new ones.
        files::remove(&folder)?;
        for file in source_tree::list(project::root())? {
            let name = file.strip_prefix(project::root()).unwrap_or(&file);
            files::copy(&file, &fork.source.join(name))?;
        }
        let manifest = fork.source.join("Cargo.toml");
        let text = files::read_text(&manifest)?;
        let text = with_fork_version(&text).ok_or("Cargo.toml has no version for the workspace")?;
        files::write(&manifest, text)?;
        Ok(fork)
    }

    fn cargo(&self, args: &str) -> Command {
        let mut command = cargo::command(args);
        command
            .current_dir(&self.source)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_BUILD_BUILD_DIR", &self.build);
        command
    }

    fn xtask(&self, args: &str) -> Result {
        process::run(&mut self.cargo(&format!("xtask {args}")))
    }

    /// Lints with the features that the step `lint` uses last, or dependencies would be checked in one more variant.
    fn lint(&self) -> Result {
        for targets in ["--all-targets", "--test browser"] {
            let clippy =
                format!("clippy --workspace {targets} --features fuzz/targets,server/otel -- -D warnings");
            process::run(&mut self.cargo(&clippy))?;
        }
        Ok(())
    }

    fn test(&self, tally: &mut TestCount) -> Result {
        tally.run(&mut self.tests("--lib --bins"))?;
        // The tests start the examples as servers.
        tally.run(&mut self.tests(&format!("--test main --examples -- {PRODUCT_TESTS}")))?;
        Ok(())
    }

    /// Test command. It names the same packages and features as the step `tests`, or dependencies would be compiled in
    /// one more variant.
    fn tests(&self, args: &str) -> Command {
        self.cargo(&format!("test --workspace --no-fail-fast --features server/otel {args}"))
    }

    fn browser_tests(&self, tally: &mut TestCount) -> Result<Success> {
        let Some(chromium) = tools::chromium_variables() else {
            return tally
                .skip("the test of the README's feature needs Chromium: `cargo xtask setup --with-browser`");
        };
        let mut command = self.tests("--test browser notes");
        tally.run(command.env(variable("CLIENT_FILES"), self.target.join("client")).envs(chromium))
    }

    /// Fails if a text file other than a licence still contains the project's old name.
    fn check_no_text_has(&self, name: &str) -> Result {
        let mut found = String::new();
        for (path, text) in source_tree::read(&self.source)? {
            if !path.starts_with("LICENSE") {
                for line in lines_with(name, &text) {
                    found.push_str(&format!("\n    {path}:{line}"));
                }
            }
        }
        if found.is_empty() {
            return Ok(());
        }
        Err(format!("`{name}` still occurs after `cargo xtask rename`:{found}").into())
    }
}

/// Environment variable of a setting of the fork.
fn variable(setting: &str) -> String {
    format!("{}_{setting}", NAME.replace('-', "_").to_uppercase())
}

/// Numbers of the lines that contain a name, from 1.
fn lines_with(name: &str, text: &str) -> impl Iterator<Item = usize> {
    (1..)
        .zip(text.lines())
        .filter(move |(_, line)| line.to_lowercase().contains(name))
        .map(|(number, _)| number)
}

/// Changes the workspace's version in its manifest from `0.1.0` to `0.1.0-fork`.
fn with_fork_version(manifest: &str) -> Option<String> {
    let (before, rest) = manifest.split_once("\nversion = \"")?;
    let (version, after) = rest.split_once('"')?;
    Some(format!("{before}\nversion = \"{version}-fork\"{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_workspaces_version_changes() {
        let manifest = "[workspace.package]\nversion = \"0.1.0\"\n\n[workspace.dependencies]\nserde = { version = \"1\" }\n";
        let changed = with_fork_version(manifest).unwrap();
        assert!(changed.contains("\nversion = \"0.1.0-fork\"\n"));
        assert!(changed.contains("serde = { version = \"1\" }"));
        assert_eq!(with_fork_version("[workspace]\n"), None);
    }

    #[test]
    fn a_name_is_found_in_small_and_in_capital_letters() {
        assert_eq!(lines_with("echo", "Echo\nnothing\nMY_ECHO=1\n").collect::<Vec<_>>(), [1, 3]);
    }
}
