//! Freshness of a build, decided in milliseconds and without cargo.
//!
//! A successful build writes a stamp: a fingerprint of its inputs and one of its output. Like cargo, a fingerprint
//! covers the paths, modification times and sizes of files.

use crate::failure::Result;
use crate::{cargo, files, project};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// Environment variables that change the compiler's output.
const VARIABLES: [&str; 4] =
    ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTUP_TOOLCHAIN"];

/// Hash of the state of files and folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// Hashes files and folders relative to `root`, except hidden files, which editors create.
    pub(crate) fn of(root: &Path, inputs: &[impl AsRef<Path>]) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        for input in inputs {
            for file in files::walk(&root.join(input))?.iter().filter(|file| !is_hidden(file)) {
                file.hash(&mut hasher);
                // A file that has just been deleted counts as a change too.
                let state = file.metadata().ok().map(|metadata| (metadata.modified().ok(), metadata.len()));
                state.hash(&mut hasher);
            }
        }
        Ok(Fingerprint(hasher.finish()))
    }
}

/// Inputs of one build, and the file that records its last success.
pub(crate) struct BuildStamp {
    path: PathBuf,
    /// Hash of the inputs and of [`VARIABLES`].
    inputs: u64,
}

impl BuildStamp {
    /// Fingerprints the inputs. Call it before the build: an input that changes during the build is then noticed by
    /// the next one.
    pub(crate) fn new(name: &str, inputs: &[impl AsRef<Path>]) -> Result<Self> {
        let Fingerprint(files) = Fingerprint::of(project::root(), inputs)?;
        let mut hasher = DefaultHasher::new();
        (files, VARIABLES.map(std::env::var_os)).hash(&mut hasher);
        let path = cargo::target_dir()?.join("xtask").join(name);
        Ok(BuildStamp { path, inputs: hasher.finish() })
    }

    /// Returns true if the last successful build was made from the same inputs and its output is unchanged.
    pub(crate) fn is_fresh(&self, output: &Path) -> Result<bool> {
        Ok(output.exists() && self.path.exists() && files::read_text(&self.path)? == self.text(output)?)
    }

    /// Records a successful build and its output.
    pub(crate) fn save(&self, output: &Path) -> Result {
        files::write(&self.path, self.text(output)?)
    }

    fn text(&self, output: &Path) -> Result<String> {
        let Fingerprint(output) = Fingerprint::of(project::root(), &[output])?;
        Ok(format!("{:016x} {output:016x}", self.inputs))
    }
}

fn is_hidden(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_changes_with_names_and_sizes_but_not_with_hidden_files() {
        let root = std::env::temp_dir().join(format!("fingerprint-{}", std::process::id()));
        let of = || Fingerprint::of(&root, &["src", "absent"]).unwrap();
        files::write(&root.join("src/a.rs"), "1").unwrap();
        let first = of();
        assert_eq!(first, of());

        files::write(&root.join("src/.a.rs.swp"), "1").unwrap();
        assert_eq!(first, of());

        files::write(&root.join("src/deep/b.rs"), "").unwrap();
        let second = of();
        assert_ne!(first, second);

        files::write(&root.join("src/a.rs"), "12").unwrap();
        let third = of();
        assert_ne!(second, third);

        files::rename(&root.join("src/deep/b.rs"), &root.join("src/deep/c.rs")).unwrap();
        assert_ne!(third, of());
        files::remove(&root).unwrap();
    }
}
