//! `cargo xtask delete-demo`: the demo goes, what carries it stays.
//!
//! `cargo xtask test` does this to a copy and tests what is left, so that it is true on every day.

use crate::args::parse_flags;
use crate::failure::Result;
use crate::markers::{self, Marker};
use crate::source_tree::{self, TextFiles};
use crate::{cargo, console, files, process, project};
use std::path::Path;

/// Files and folders that are the demo's and nobody else's. Single lines elsewhere carry a mark.
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

/// The list that names the demo first, as long as it is there.
const FEATURES: &str = "shared/src/features/mod.rs";

/// Our own sources, which speak of the marks without being marked.
const UNMARKED: &str = "xtask/";

/// Refuses where there would be no way back; `--force` goes on.
///
/// It changes texts only, which takes a second. The product's golden files, which hold the demo's contract, go, and
/// `cargo xtask accept` writes those of what is left: it compiles, and whoever also adds a feature needs that once.
pub(super) fn run(args: &[String]) -> Result {
    let force = !parse_flags(args, &["--force"])?.is_empty();
    let root = project::root();
    if !is_present(root)? {
        return Err("the demo is deleted already".into());
    }
    if !force {
        source_tree::require_clean(root)?;
    }
    for path in apply(root)? {
        console::note(&path);
    }
    process::run(&mut cargo::command("fmt --all"))?;
    console::note(
        "the demo is deleted; `cargo xtask accept` writes down the contract and the size of what is left",
    );
    Ok(())
}

/// True while the demo is there. A feature of the same name that somebody wrote later is not the demo.
pub(crate) fn is_present(root: &Path) -> Result<bool> {
    let features = files::read_text(&root.join(FEATURES))?;
    Ok(markers::strip(Marker::Demo, FEATURES, &features)?.is_some())
}

/// Deletes the demo from the project in that folder. The files and folders that changed or went.
pub(crate) fn apply(root: &Path) -> Result<Vec<String>> {
    let before = source_tree::read(root)?;
    let present = DEMO.iter().filter(|path| root.join(path).exists());
    let mut told: Vec<String> = present.map(|path| format!("removed {path}")).collect();
    let after = without_demo(&before)?;
    let changed = source_tree::write(root, &before, &after)?;
    // What is left of them: images, and folders that are empty now.
    for path in DEMO {
        files::remove(&root.join(path))?;
    }
    let in_others = changed.iter().filter(|path| after.contains_key(*path));
    told.extend(in_others.map(|path| format!("removed its lines from {path}")));
    Ok(told)
}

/// The project's texts without the demo.
pub(super) fn without_demo(texts: &TextFiles) -> Result<TextFiles> {
    let mut kept = TextFiles::new();
    for (path, text) in texts.iter().filter(|(path, _)| !is_demo(path)) {
        let rest = if path.starts_with(UNMARKED) { None } else { markers::strip(Marker::Demo, path, text)? };
        kept.insert(path.clone(), rest.unwrap_or_else(|| text.clone()));
    }
    Ok(kept)
}

fn is_demo(path: &str) -> bool {
    DEMO.iter()
        .any(|demo| path.strip_prefix(demo).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
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
    fn a_mark_without_its_counterpart_is_told_before_anything_is_deleted() {
        let sandbox = Sandbox::new("unpaired");
        sandbox.write(DEMO[2], "//! The demo.\n");
        sandbox.write("README.md", "<!-- demo: begin -->\n");
        assert!(apply(&sandbox.0).unwrap_err().message().unwrap().contains("README.md"));
        assert_eq!(sandbox.read(DEMO[2]), "//! The demo.\n");
    }
}
