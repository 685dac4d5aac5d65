//! The way of a fork, walked on a copy: rename it, add the README's feature, delete the demo, and test the rest.
//!
//! The copy shares our build folder, or all dependencies would be compiled again; its packages get a version of their
//! own, or cargo, which tells packages in one build folder apart by name, version and place in the workspace, would
//! take the copy's for ours. Everything is done by the commands that the README names.

use super::results::{Success, Tally};
use super::walkthrough;
use crate::commands::{delete_demo, rename};
use crate::failure::Result;
use crate::tools;
use crate::{cargo, console, files, process, project, source_tree};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// The fork's name: of two words, which makes a difference where it is part of an identifier.
const NAME: &str = rename::NAMES[0];

/// The tests of a whole node that know the project's name or its features. All others are the core's: the step `tests`
/// runs them, and that they compile in a fork is checked.
const PRODUCT_TESTS: &str = "architecture:: features:: wire:: http::contract http::identity http::metrics \
                                 http::pages http::settings http::start http::traces";

/// Makes a copy of the project into a product of its own, and checks and tests that.
pub(super) fn check(tally: &mut Tally) -> Result {
    if !delete_demo::is_present(project::root())? {
        console::note("the demo is deleted already: this project is a fork itself");
        return Ok(());
    }
    let fork = timed("a copy", Fork::create)?;
    timed("rename", || fork.xtask(&format!("rename {NAME} --force")))?;
    fork.check_no_text_has(project::NAME)?;
    let is_new = timed("the README's feature", || walkthrough::apply(&fork.source))?;
    if !is_new {
        console::note("the README has no feature that is not there yet");
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

/// Does one part and says how long it took.
fn timed<T>(part: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    let done = work()?;
    console::note(&format!("fork: {part} took {} s", begun.elapsed().as_secs()));
    Ok(done)
}

/// The copy that becomes a product of its own.
struct Fork {
    /// Its root.
    source: PathBuf,
    /// Where its results go.
    target: PathBuf,
    /// The place of intermediate results: our own build folder.
    build: PathBuf,
}

impl Fork {
    fn create() -> Result<Fork> {
        let build = cargo::target_dir()?;
        let folder = build.join("fork");
        let fork = Fork { source: folder.join("source"), target: folder.join("target"), build };
        // Results are few and small, and stale ones would be in the way.
        files::remove(&folder)?;
        for file in source_tree::list(project::root())? {
            let name = file.strip_prefix(project::root()).unwrap_or(&file);
            files::copy(&file, &fork.source.join(name))?;
        }
        let manifest = fork.source.join("Cargo.toml");
        let text = files::read_text(&manifest)?;
        let text = with_fork_version(&text).ok_or("Cargo.toml names no version for the workspace")?;
        files::write(&manifest, text)?;
        Ok(fork)
    }

    fn cargo(&self, words: &str) -> Command {
        let mut command = cargo::command(words);
        command
            .current_dir(&self.source)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_BUILD_BUILD_DIR", &self.build);
        command
    }

    fn xtask(&self, words: &str) -> Result {
        process::run(&mut self.cargo(&format!("xtask {words}")))
    }

    /// With the features that our own lint names last, or dependencies would be checked in one more variant.
    fn lint(&self) -> Result {
        for targets in ["--all-targets", "--test browser"] {
            let clippy =
                format!("clippy --workspace {targets} --features fuzz/targets,server/otel -- -D warnings");
            process::run(&mut self.cargo(&clippy))?;
        }
        Ok(())
    }

    fn test(&self, tally: &mut Tally) -> Result {
        tally.run(&mut self.tests("--lib --bins"))?;
        // The examples are servers that the tests start.
        tally.run(&mut self.tests(&format!("--test main --examples -- {PRODUCT_TESTS}")))?;
        Ok(())
    }

    /// The tests with these words behind. With all packages and features that our own tests name, or dependencies would
    /// be compiled in one more variant.
    fn tests(&self, words: &str) -> Command {
        self.cargo(&format!("test --workspace --no-fail-fast --features server/otel {words}"))
    }

    fn browser_tests(&self, tally: &mut Tally) -> Result<Success> {
        let (Some(chromium), Some(chromedriver)) = (tools::chromium(), tools::chromedriver()) else {
            return tally
                .skip("the README's feature is seen in Chromium: `cargo xtask setup --with-browser`");
        };
        tally.run(
            self.tests("--test browser notes")
                .env(variable("PAGES"), self.target.join("client"))
                .env("CHROMIUM", chromium)
                .env("CHROMEDRIVER", chromedriver),
        )
    }

    /// Fails where a text still holds the name that the project had before. Its authors stay who they are.
    fn check_no_text_has(&self, name: &str) -> Result {
        let texts = source_tree::read(&self.source)?;
        let ours = texts.iter().filter(|(path, _)| !path.starts_with("LICENSE"));
        let lines = ours
            .flat_map(|(path, text)| lines_with(name, text).map(move |line| format!("    {path}:{line}")));
        let found: Vec<String> = lines.collect();
        match found.is_empty() {
            true => Ok(()),
            false => {
                Err(format!("`{name}` is left after `cargo xtask rename`:\n{}", found.join("\n")).into())
            }
        }
    }
}

/// The name of a setting in the fork's environment.
fn variable(setting: &str) -> String {
    format!("{}_{setting}", NAME.replace('-', "_").to_uppercase())
}

/// The numbers of the lines that hold a name, from 1.
fn lines_with(name: &str, text: &str) -> impl Iterator<Item = usize> {
    (1..)
        .zip(text.lines())
        .filter(move |(_, line)| line.to_lowercase().contains(name))
        .map(|(number, _)| number)
}

/// The workspace's manifest with `0.1.0` turned into `0.1.0-fork`.
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
