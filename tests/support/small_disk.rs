//! `SmallDisk`: a file system of a few megabytes, to be filled to its last byte.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const BALLAST: &str = "ballast";

/// See the module. Dropping it takes it away.
pub struct SmallDisk {
    mounted_at: TempDir,
}

impl SmallDisk {
    /// An empty one. It needs root, or sudo that asks for no password; nothing where neither is there, except in
    /// CI, which must not pass without what is tested on it.
    pub fn mount(mebibytes: u32) -> Option<SmallDisk> {
        let mounted_at = TempDir::new().expect("there is room for a temporary folder");
        let options = format!("size={mebibytes}m,mode=777");
        let mounted = as_root(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs"], mounted_at.path());
        if mounted {
            return Some(SmallDisk { mounted_at });
        }
        assert!(std::env::var_os("CI").is_none(), "a small disk cannot be mounted: CI must test on one");
        eprintln!("SKIPPED: a small disk cannot be mounted without root");
        None
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.mounted_at.path()
    }

    /// Leaves no room at all.
    pub fn fill(&self) {
        let mut ballast = fs::OpenOptions::new().create(true).append(true).open(self.ballast()).unwrap();
        for bytes in [4_096, 1] {
            while ballast.write_all(&vec![0; bytes]).is_ok() {}
        }
    }

    /// Makes room again.
    pub fn clear(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.path().join(BALLAST)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that a failed test left behind may still have a file open.
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
