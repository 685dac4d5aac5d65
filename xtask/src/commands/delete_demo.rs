//! `cargo xtask delete-demo`: removes the demo and keeps everything else.
//!
//! The step `fork` of `cargo xtask test` does this to a copy and tests what is left.

use crate::args::parse_flags;
use crate::failure::Result;
use crate::markers::{self, Marker};
use crate::source_tree::{self, TextFiles};
use crate::{cargo, console, files, process, project};
use std::path::Path;

/// Files and folders that belong to the demo alone. Single lines elsewhere carry a marker.
const DEMO: [&str; 11] = [
    "server/src/features/chat",
    "client/src/features/chat",
    "shared/src/features/chat.rs",
    "assets/chat.css",
    "assets/screenshot.png",
    "tests/features/chat",
    "tests/features/chat.rs",
    "tests/golden/chat",
    "tests/golden/product",
    "tests/browser/chat",
    "tests/browser/chat.rs",
];

/// File whose list of features has a demo marker as long as the demo is there.
const FEATURES: &str = "shared/src/features/mod.rs";

/// Deletes the demo. Refuses if git could not restore it, unless `--force` is given.
///
/// This only changes text files, which takes a second. The product's golden files, which contain the demo's API, are
/// deleted; `cargo xtask accept` writes new ones. It compiles everything, so it is left to the user, who may want to
/// add a feature first.
pub(super) fn run(args: &[String]) -> Result {
    let force = !parse_flags(args, &["--force"])?.is_empty();
    let root = project::root();
    if !is_present(root)? {
        return Err("the demo has already been deleted".into());
    }
    if !force {
        source_tree::require_clean(root)?;
    }
    for change in apply(root)? {
        console::note(&change);
    }
    process::run(&mut cargo::command("fmt --all"))?;
    console::note(
        "the demo is deleted; run `cargo xtask accept` to record the API and the client size of what is left",
    );
    Ok(())
}

/// Returns true while the demo is there. A feature of the same name that was written later is not the demo.
pub(crate) fn is_present(root: &Path) -> Result<bool> {
    let features = files::read_text(&root.join(FEATURES))?;
    Ok(markers::strip(Marker::Demo, FEATURES, &features)?.is_some())
}

/// Deletes the demo from the project in that folder. Returns a description of each change.
pub(crate) fn apply(root: &Path) -> Result<Vec<String>> {
    let before = source_tree::read(root)?;
    let after = without_demo(&before)?;
    let mut changes = Vec::new();
    for path in DEMO {
        if files::remove(&root.join(path))? {
            changes.push(format!("removed {path}"));
        }
    }
    for path in source_tree::write(root, &before, &after)? {
        if after.contains_key(&path) {
            changes.push(format!("removed the demo's lines from {path}"));
        }
    }
    Ok(changes)
}

/// Removes the demo from the project's text files.
pub(super) fn without_demo(texts: &TextFiles) -> Result<TextFiles> {
    let mut kept = TextFiles::new();
    for (path, text) in texts.iter().filter(|(path, _)| !is_demo(path)) {
        let stripped = markers::strip(Marker::Demo, path, text)?;
        kept.insert(path.clone(), stripped.unwrap_or_else(|| text.clone()));
    }
    Ok(kept)
}

fn is_demo(path: &str) -> bool {
    DEMO.iter().any(|demo| Path::new(path).starts_with(demo))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Sandbox;

    #[test]
    fn a_later_feature_of_the_same_name_is_not_the_demo() {
        let sandbox = Sandbox::new("same-name");
        sandbox.write(FEATURES, "pub mod chat; // demo\n");
        assert!(is_present(&sandbox.0).unwrap());
        sandbox.write(FEATURES, "pub mod chat;\n");
        assert!(!is_present(&sandbox.0).unwrap());
    }

    #[test]
    fn a_marker_without_counterpart_is_reported_before_anything_is_deleted() {
        let sandbox = Sandbox::new("unpaired");
        sandbox.write(DEMO[2], "//! The demo.\n");
        sandbox.write("README.md", "<!-- demo: begin -->\n");
        assert!(apply(&sandbox.0).unwrap_err().message().unwrap().contains("README.md"));
        assert_eq!(sandbox.read(DEMO[2]), "//! The demo.\n");
    }
}
