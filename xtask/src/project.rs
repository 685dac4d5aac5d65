//! Name and folders of the project.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Name of the project and of its binary.
pub(crate) const NAME: &str = "duplex";

/// Folder that contains the workspace's `Cargo.toml`.
///
/// Read from cargo's environment at run time: a compiled-in path is wrong once the folder has been moved.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let xtask = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&xtask).parent().map(Path::to_path_buf).unwrap_or_default()
    })
}

/// Folder where `setup` installs tools: inside the project, not in the user's home.
pub(crate) fn tools() -> PathBuf {
    root().join(".tools")
}

/// Returns true in CI, where a missing tool is an error instead of a reason to skip a test.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}
