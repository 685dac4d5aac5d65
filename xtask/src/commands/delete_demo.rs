//! `cargo xtask delete-demo`: the chat goes, what carries it stays.
//!
//! `cargo xtask test` does this to a copy and tests what is left, so that it is true on every day.

use super::flags;
use crate::failure::Result;
use crate::{files, markers, process, project, say};
use std::path::Path;

/// Files and folders that are the demo's and nobody else's. Single lines elsewhere carry a mark.
const DEMO: [&str; 9] = [
    "server/src/features/chat",
    "client/src/features/chat",
    "shared/src/features/chat.rs",
    "assets/chat.css",
    "tests/features/chat",
    "tests/features/chat.rs",
    "tests/golden/chat",
    "tests/browser/chat",
    "tests/browser/chat.rs",
];

/// Refuses when the work is not committed, as there would be no way back; `--force` goes on.
pub(super) fn run(args: &[String]) -> Result {
    let force = !flags(args, &["--force"])?.is_empty();
    let root = project::root();
    if !is_present(root) {
        return Err("the demo is deleted already".into());
    }
    if !force {
        require_clean_tree()?;
    }
    for path in DEMO {
        if files::remove(&root.join(path))? {
            say::note(&format!("removed {path}"));
        }
    }
    for path in files::of_project(root)? {
        // Our own sources speak of the marks without being marked.
        let Some(text) = files::read_text(&path).ok().filter(|_| !path.starts_with(root.join("xtask")))
        else {
            continue;
        };
        if let Some(rest) = markers::without_demo(&path, &text)? {
            files::write(&path, rest)?;
            say::note(&format!(
                "removed its lines from {}",
                path.strip_prefix(root).unwrap_or(&path).display()
            ));
        }
    }
    process::run(&mut process::cargo("fmt --all"))
}

/// Whether any of the demo is still there.
pub(crate) fn is_present(root: &Path) -> bool {
    DEMO.iter().any(|path| root.join(path).exists())
}

/// Fails if git knows of changes that are not committed. Without git there is nothing to compare with.
pub(super) fn require_clean_tree() -> Result {
    match process::answer(&mut process::program("git", "status --porcelain")) {
        Some(changes) if !changes.is_empty() => {
            Err("there are changes that are not committed: commit them first, \
                                                     so that git can bring back what goes; or use --force"
                .into())
        }
        _ => Ok(()),
    }
}
