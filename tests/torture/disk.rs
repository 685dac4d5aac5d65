//! `FaultyDisk`: the disk below a data folder, as `disk.c` makes it: it crashes its user, fails, and keeps a journal.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::write_cache::Change;
use crate::support::Variables;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/torture/disk.c");
const ORDER_BYTES: u64 = 8;

/// The numbers in the file of orders. `disk.c` has the same list.
#[derive(Clone, Copy)]
enum Order {
    Steps,
    CrashAt,
    CrashWhen,
    FailKinds,
    FailTimes,
    FailErrno,
    Failed,
}

/// The moment of a crash, around a step.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// Nothing of it was done.
    Before,
    /// A write has done half of its bytes, any other step is done.
    Halfway,
    /// It was done.
    After,
}

/// The kinds of steps.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A write to a file.
    Write = 1,
    /// A sync of a file or folder.
    Sync = 2,
}

/// The number of steps that fail.
#[derive(Debug, Clone, Copy)]
pub enum Times {
    /// The next so many.
    Next(u8),
    /// All, until the disk is mended.
    ForEver,
}

/// An error of the system.
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
    orders: File,
    /// Holds the orders and the journal.
    files: TempDir,
}

impl FaultyDisk {
    /// The disk that has this folder, which must exist. It works.
    pub fn with(folder: &Path) -> FaultyDisk {
        let files = TempDir::new().expect("there is room for a temporary folder");
        let orders = files.path().join("orders");
        let orders = File::options().read(true).write(true).create_new(true).open(orders);
        let orders = orders.expect("the folder is ours");
        orders.set_len(ORDER_BYTES * (Order::Failed as u64 + 1)).expect("there is room");
        FaultyDisk { folder: folder.canonicalize().expect("it exists"), orders, files }
    }

    /// The environment of a program that is to use it.
    pub fn variables(&self) -> Variables {
        let text = |path: &Path| path.display().to_string();
        vec![
            ("LD_PRELOAD", text(library())),
            ("DISK_FOLDER", text(&self.folder)),
            ("DISK_ORDERS", text(&self.files.path().join("orders"))),
        ]
    }

    /// The same, for one whose changes are wanted in the journal.
    pub fn variables_with_journal(&self) -> Variables {
        let journal = ("DISK_JOURNAL", self.journal_file().display().to_string());
        [self.variables(), vec![journal]].concat()
    }

    /// The steps that were taken so far.
    pub fn steps(&self) -> u64 {
        self.read(Order::Steps).unsigned_abs()
    }

    /// Kills the program at a step: 1 is the next one.
    pub fn crash_at(&self, step: u64, when: When) {
        self.write(Order::CrashWhen, when as i64);
        self.write(Order::CrashAt, self.read(Order::Steps) + step as i64);
    }

    /// True if the step was reached at which it crashes.
    pub fn has_crashed(&self) -> bool {
        (1..=self.read(Order::Steps)).contains(&self.read(Order::CrashAt))
    }

    /// Lets steps of these kinds fail from now on.
    pub fn fail(&self, kinds: &[Kind], times: Times, errno: Errno) {
        self.write(Order::FailErrno, errno as i64);
        self.write(Order::FailTimes, if let Times::Next(times) = times { times.into() } else { -1 });
        self.write(Order::FailKinds, kinds.iter().map(|kind| *kind as i64).sum());
    }

    /// The steps that have failed so far.
    pub fn failed(&self) -> u64 {
        self.read(Order::Failed).unsigned_abs()
    }

    /// Makes it work again, and crash no more.
    pub fn mend(&self) {
        self.write(Order::CrashAt, 0);
        self.write(Order::FailKinds, 0);
    }

    /// The length of the journal: whatever was done by now is before it.
    pub fn journal_bytes(&self) -> u64 {
        fs::metadata(self.journal_file()).map_or(0, |found| found.len())
    }

    /// All changes so far, each with the place in the journal where it ends.
    pub fn journal(&self) -> Vec<(u64, Change)> {
        let bytes = fs::read(self.journal_file()).expect("a program wrote it");
        let mut changes = Vec::new();
        let mut rest = &bytes[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let head = std::str::from_utf8(&rest[..end]).expect("a test names its files well");
            let (change, used) = Change::parse(head, &rest[end + 1..]);
            rest = &rest[end + 1 + used..];
            changes.push(((bytes.len() - rest.len()) as u64, change));
        }
        changes
    }

    fn journal_file(&self) -> PathBuf {
        self.files.path().join("journal")
    }

    fn read(&self, order: Order) -> i64 {
        let mut bytes = [0; ORDER_BYTES as usize];
        self.orders.read_exact_at(&mut bytes, order as u64 * ORDER_BYTES).expect("it is as long");
        i64::from_ne_bytes(bytes)
    }

    fn write(&self, order: Order, number: i64) {
        self.orders.write_all_at(&number.to_ne_bytes(), order as u64 * ORDER_BYTES).expect("it is as long");
    }
}

/// `disk.c`, compiled once for each run of the tests. A C compiler is there: SQLite was compiled by it.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (library, new) = (folder.join("disk.so"), folder.join(format!("disk-{}.so", std::process::id())));
        let mut compile = Command::new(std::env::var_os("CC").unwrap_or("cc".into()));
        let compile = compile.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-pthread", "-o"]);
        let compiled = compile.arg(&new).arg(SOURCE).output().expect("there is a C compiler");
        let said = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success() && said.is_empty(), "disk.c: {said}");
        // Another run of the tests may use the old one.
        fs::rename(&new, &library).expect("the folder is ours");
        library
    })
}
