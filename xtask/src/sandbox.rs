//! Temporary folder for tests that use git, removed when dropped.

use crate::files;
use std::path::PathBuf;
use std::process::Command;

pub(crate) struct Sandbox(pub(crate) PathBuf);

impl Sandbox {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        files::remove(&folder).unwrap();
        files::create_dir(&folder).unwrap();
        Sandbox(folder)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        files::write(&self.0.join(path), text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        files::read_text(&self.0.join(path)).unwrap()
    }

    /// Runs git without the configuration of the user or the machine, and returns its stdout.
    #[track_caller]
    pub(crate) fn git(&self, args: &str) -> String {
        let mut git = Command::new("git");
        git.current_dir(&self.0).args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]);
        git.args(args.split_whitespace());
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let output = git.output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args}\n{stdout}{stderr}");
        stdout.into_owned()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = files::remove(&self.0);
    }
}
