//! The promise of `cargo xtask delete-demo`: what is left builds, is clean, and passes its tests.
//!
//! Tried on a copy. It shares our build folder, or all dependencies would be compiled again; its
//! packages get a version of their own, or cargo, which tells packages in one build folder apart by
//! name, version and place in the workspace, would take the copy's for ours.

use super::tally::Tally;
use crate::commands::delete_demo;
use crate::failure::Result;
use crate::tools::WASM;
use crate::{files, process, project, say};
use std::path::Path;
use std::process::Command;

/// Copies the project, deletes the demo there, and checks and tests the rest.
pub(crate) fn check(tally: &mut Tally) -> Result {
    if !delete_demo::is_present(project::root()) {
        say::note("the demo is deleted already: nothing to try");
        return Ok(());
    }
    let copy = project::target().join("without-demo");
    copy_project(&copy)?;
    process::run(&mut cargo(&copy, "xtask delete-demo --force"))?;
    process::run(&mut cargo(&copy, "fmt --all --check"))?;
    process::run(&mut cargo(&copy, "clippy --workspace --all-targets -- -D warnings"))?;
    process::run(&mut cargo(&copy, &format!("clippy --package client --target {WASM} -- -D warnings")))?;
    // The core is the one that was just tested at length.
    let fewer = [("DUPLEX_SEEDS", "300"), ("DUPLEX_KILL_ROUNDS", "5")];
    tally.run(cargo(&copy, "test --workspace --no-fail-fast --features server/otel").envs(fewer)).map(drop)
}

fn copy_project(copy: &Path) -> Result {
    let (source, built) = (copy.join("source"), copy.join("target"));
    files::remove(&source)?;
    // Only results: they are small, and stale ones would be in the way.
    files::remove(&built)?;
    for file in files::of_project(project::root())? {
        let name = file.strip_prefix(project::root()).unwrap_or(&file);
        files::copy(&file, &source.join(name))?;
    }
    let manifest = source.join("Cargo.toml");
    let text = files::read_text(&manifest)?;
    files::write(&manifest, with_own_version(&text).ok_or("Cargo.toml names no version for the workspace")?)
}

/// A cargo that works on the copy: results go beside it, what leads to them into our build folder.
fn cargo(copy: &Path, words: &str) -> Command {
    let mut command = process::cargo(words);
    command
        .current_dir(copy.join("source"))
        .env("CARGO_TARGET_DIR", copy.join("target"))
        .env("CARGO_BUILD_BUILD_DIR", project::target());
    command
}

/// The workspace's manifest with `0.1.0` turned into `0.1.0-without-demo`.
fn with_own_version(manifest: &str) -> Option<String> {
    let (before, rest) = manifest.split_once("\nversion = \"")?;
    let (version, after) = rest.split_once('"')?;
    Some(format!("{before}\nversion = \"{version}-without-demo\"{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_workspaces_version_changes() {
        let manifest = "[workspace.package]\nversion = \"0.1.0\"\n\n[workspace.dependencies]\nserde = { version = \"1\" }\n";
        let changed = with_own_version(manifest).unwrap();
        assert!(changed.contains("\nversion = \"0.1.0-without-demo\"\n"));
        assert!(changed.contains("serde = { version = \"1\" }"));
        assert_eq!(with_own_version("[workspace]\n"), None);
    }
}
