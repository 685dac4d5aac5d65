//! Is a build still fresh? Our own answer, in milliseconds, before cargo starts.
//!
//! After a good build a stamp is written: one number for what went in, one for what came out. Files
//! count by path, time and size, as they do for cargo.

use crate::failure::Result;
use crate::{cargo, files, project};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// Settings that change what a compiler makes of the same files.
const SETTINGS: [&str; 4] =
    ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTUP_TOOLCHAIN"];

/// The state of some files and folders as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// Of files and folders relative to `root`. Hidden files below them do not count: editors make them.
    pub(crate) fn of(root: &Path, inputs: &[impl AsRef<Path>]) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        for input in inputs {
            for file in files::walk(&root.join(input))?.iter().filter(|file| !is_hidden(file)) {
                file.hash(&mut hasher);
                // A file that vanished meanwhile is a change as well.
                let state = file.metadata().ok().map(|found| (found.modified().ok(), found.len()));
                state.hash(&mut hasher);
            }
        }
        Ok(Fingerprint(hasher.finish()))
    }
}

/// What one build is made of, and where its last good run is noted.
pub(crate) struct Stamp {
    path: PathBuf,
    inputs: Fingerprint,
}

impl Stamp {
    /// Looks at the inputs now, before the build: what changes while it runs is then seen the next time.
    pub(crate) fn new(name: &str, inputs: &[impl AsRef<Path>]) -> Result<Self> {
        let Fingerprint(files) = Fingerprint::of(project::root(), inputs)?;
        let settings = SETTINGS.map(std::env::var_os);
        let mut hasher = DefaultHasher::new();
        (files, settings).hash(&mut hasher);
        let path = cargo::target_dir()?.join("xtask").join(name);
        Ok(Stamp { path, inputs: Fingerprint(hasher.finish()) })
    }

    /// The output of the last good build, if it is there, untouched, and made of just these inputs.
    pub(crate) fn fresh_output(&self) -> Option<PathBuf> {
        let noted = files::read_text(&self.path).ok()?;
        let output = PathBuf::from(noted.split_once('\n')?.1);
        (output.exists() && noted == self.text(&output).ok()?).then_some(output)
    }

    /// Notes that the build went well, and the file that came out.
    pub(crate) fn save(&self, output: &Path) -> Result {
        files::write(&self.path, self.text(output)?)
    }

    fn text(&self, output: &Path) -> Result<String> {
        let Fingerprint(state) = Fingerprint::of(project::root(), &[output])?;
        Ok(format!("{:016x} {state:016x}\n{}", self.inputs.0, output.display()))
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
