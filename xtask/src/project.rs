//! Where things are: the one place that knows the project's folders.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The project's name, which its binary carries.
pub(crate) const NAME: &str = "duplex";

/// The folder with the workspace's `Cargo.toml`.
///
/// Taken from cargo at run time: the path compiled in would be wrong after the folder was moved.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let xtask = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&xtask).parent().map(Path::to_path_buf).unwrap_or_default()
    })
}

/// The tools that `setup` installs: in the project, not in the person's home.
pub(crate) fn tools() -> PathBuf {
    root().join(".tools")
}

/// Whether a machine runs us, so that "skipped, as a tool is missing" is no answer.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}
