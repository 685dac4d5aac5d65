//! `SmallDisk`: a file system of a few megabytes that a test fills up.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const BALLAST: &str = "ballast";

/// A mounted file system. Dropping it unmounts it.
pub struct SmallDisk {
    mounted_at: TempDir,
}

impl SmallDisk {
    /// Mounts an empty file system, as root or with a sudo that asks for no password. Returns `None` if neither is
    /// possible, except in CI, where it panics: CI must not pass without these tests.
    pub fn mount(mebibytes: u32) -> Option<SmallDisk> {
        let mounted_at = TempDir::new().expect("a temporary folder can be created");
        let options = format!("size={mebibytes}m,mode=777");
        let mounted = as_root(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs"], mounted_at.path());
        if mounted {
            return Some(SmallDisk { mounted_at });
        }
        assert!(
            std::env::var_os("CI").is_none(),
            "a small disk cannot be mounted, but CI must test with one"
        );
        eprintln!("SKIPPED: a small disk cannot be mounted without root");
        None
    }

    /// Returns the mount point.
    pub fn path(&self) -> &Path {
        self.mounted_at.path()
    }

    /// Fills the disk to the last byte.
    pub fn fill(&self) {
        let mut ballast = fs::OpenOptions::new().create(true).append(true).open(self.ballast()).unwrap();
        for bytes in [4_096, 1] {
            while ballast.write_all(&vec![0; bytes]).is_ok() {}
        }
    }

    /// Frees the space that `fill` took.
    pub fn clear(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.path().join(BALLAST)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, since a server of a failed test may still have a file open.
        as_root(&["umount", "--lazy"], self.mounted_at.path());
    }
}

fn as_root(command: &[&str], path: &Path) -> bool {
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let command = command.args(arguments).arg(path).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    run(command[0], &command[1..]) || run("sudo", &[&["-n"], command].concat())
}
