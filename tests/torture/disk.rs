//! `FaultyDisk`: controls `disk.c`, which makes the disk below a data folder crash its user, fail, and keep a journal.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::write_cache::DiskChange;
use crate::support::EnvVars;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/torture/disk.c");
const CONTROL_WORD_BYTES: u64 = 8;

/// The numbers in the control file, in the same order as in `disk.c`.
#[derive(Clone, Copy)]
enum ControlWord {
    Steps,
    CrashAt,
    CrashWhen,
    FailKinds,
    FailTimes,
    FailErrno,
    Failed,
}

/// The moment of a crash, relative to a step.
#[derive(Debug, Clone, Copy)]
pub enum CrashPoint {
    Before,
    /// After half of the bytes of a write, or after any other step.
    Halfway,
    After,
}

/// The kinds of steps that can fail.
#[derive(Debug, Clone, Copy)]
pub enum StepKind {
    /// A write to a file.
    Write = 1,
    /// A sync of a file or folder.
    Sync = 2,
}

/// The number of steps that fail.
#[derive(Debug, Clone, Copy)]
pub enum FailureCount {
    /// The next steps, as many as this.
    Next(u8),
    /// All steps, until the disk is mended.
    ForEver,
}

/// An error of a system call.
#[derive(Debug, Clone, Copy)]
pub enum Errno {
    /// EIO.
    Broken = 5,
    /// ENOSPC.
    Full = 28,
}

/// The disk of one folder, for programs that run under [`FaultyDisk::variables`].
pub struct FaultyDisk {
    folder: PathBuf,
    control: File,
    /// Holds the control file and the journal.
    files: TempDir,
}

impl FaultyDisk {
    /// Creates the disk of an existing folder. It works until a fault is injected.
    pub fn with(folder: &Path) -> FaultyDisk {
        let files = TempDir::new().expect("a temporary folder can be created");
        let control = files.path().join("control");
        let control = File::options().read(true).write(true).create_new(true).open(control);
        let control = control.expect("the file can be created");
        control
            .set_len(CONTROL_WORD_BYTES * (ControlWord::Failed as u64 + 1))
            .expect("the file can be extended");
        FaultyDisk { folder: folder.canonicalize().expect("it exists"), control, files }
    }

    /// Returns the environment variables of a program that uses the disk.
    pub fn env_vars(&self) -> EnvVars {
        let text = |path: &Path| path.display().to_string();
        vec![
            ("LD_PRELOAD", text(library())),
            ("DISK_FOLDER", text(&self.folder)),
            ("DISK_CONTROL", text(&self.files.path().join("control"))),
        ]
    }

    /// Returns the environment variables of a program that uses the disk and whose changes are journaled.
    pub fn env_vars_with_journal(&self) -> EnvVars {
        let journal = ("DISK_JOURNAL", self.journal_file().display().to_string());
        [self.env_vars(), vec![journal]].concat()
    }

    /// Returns the number of steps so far.
    pub fn steps(&self) -> u64 {
        self.read(ControlWord::Steps).unsigned_abs()
    }

    /// Kills the program at a step, counted from the next one, which is 1.
    pub fn crash_at(&self, step: u64, point: CrashPoint) {
        self.write(ControlWord::CrashWhen, point as i64);
        self.write(ControlWord::CrashAt, self.read(ControlWord::Steps) + step as i64);
    }

    /// Returns true if the step of the crash was reached.
    pub fn has_crashed(&self) -> bool {
        (1..=self.read(ControlWord::Steps)).contains(&self.read(ControlWord::CrashAt))
    }

    /// Makes steps of these kinds fail from now on.
    pub fn fail(&self, kinds: &[StepKind], count: FailureCount, errno: Errno) {
        self.write(ControlWord::FailErrno, errno as i64);
        let times = match count {
            FailureCount::Next(times) => times.into(),
            FailureCount::ForEver => -1,
        };
        self.write(ControlWord::FailTimes, times);
        self.write(ControlWord::FailKinds, kinds.iter().map(|kind| *kind as i64).sum());
    }

    /// Returns the number of steps that have failed so far.
    pub fn failed(&self) -> u64 {
        self.read(ControlWord::Failed).unsigned_abs()
    }

    /// Makes the disk work again.
    pub fn mend(&self) {
        self.write(ControlWord::CrashAt, 0);
        self.write(ControlWord::FailKinds, 0);
    }

    /// Returns the length of the journal. Changes up to now end before it.
    pub fn journal_bytes(&self) -> u64 {
        fs::metadata(self.journal_file()).map_or(0, |found| found.len())
    }

    /// Returns all changes so far, each with the place in the journal where it ends.
    pub fn journal(&self) -> Vec<(u64, DiskChange)> {
        let bytes = fs::read(self.journal_file()).expect("a program wrote it");
        let mut changes = Vec::new();
        let mut rest = &bytes[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let head = std::str::from_utf8(&rest[..end]).expect("file names are UTF-8");
            let (change, used) = DiskChange::parse(head, &rest[end + 1..]);
            rest = &rest[end + 1 + used..];
            changes.push(((bytes.len() - rest.len()) as u64, change));
        }
        changes
    }

    fn journal_file(&self) -> PathBuf {
        self.files.path().join("journal")
    }

    fn read(&self, word: ControlWord) -> i64 {
        let mut bytes = [0; CONTROL_WORD_BYTES as usize];
        self.control
            .read_exact_at(&mut bytes, word as u64 * CONTROL_WORD_BYTES)
            .expect("the file is long enough");
        i64::from_ne_bytes(bytes)
    }

    fn write(&self, word: ControlWord, number: i64) {
        self.control
            .write_all_at(&number.to_ne_bytes(), word as u64 * CONTROL_WORD_BYTES)
            .expect("the file is long enough");
    }
}

/// Compiles `disk.c` once for each run of the tests. The machine has a C compiler, since SQLite was compiled with it.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let library = folder.join("disk.so");
        let new = folder.join(format!("disk-{}.so", std::process::id()));
        let mut compile = Command::new(std::env::var_os("CC").unwrap_or("cc".into()));
        let compile = compile.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-pthread", "-o"]);
        let compiled = compile.arg(&new).arg(SOURCE).output().expect("there is a C compiler");
        let warnings = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success() && warnings.is_empty(), "disk.c: {warnings}");
        // Another run of the tests may still use the old library.
        fs::rename(&new, &library).expect("the file can be renamed");
        library
    })
}
