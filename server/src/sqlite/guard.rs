//! What keeps a database file whole: one process at a time, the `-wal` that belongs to it, and the name under which it
//! was opened.
//!
//! What was committed last is in the `-wal` file until SQLite folds it in. A copy of the file alone lacks it, and a
//! file that was put in place of another must not meet the other's. SQLite notices neither.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sqlx::{Row, SqliteConnection};

use super::{Lost, Unusable};
use crate::random::random_number;

/// Where in the file SQLite keeps the number that a program may give it, big-endian (SQLite, "Database File Format",
/// §1.3.17).
const ID_AT: u64 = 68;

/// The file with another ending, as SQLite names what belongs to it.
pub(crate) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    name.into()
}

/// Keeps other processes away, whatever folder they take for their own: two that write would number events twice.
pub(crate) fn lock(file: &Path) -> Result<File, Unusable> {
    // A link is another name for the same database.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let lock = beside(&file, "-lock");
    let cannot = |error: io::Error| Unusable(format!("{}: {error}", lock.display()));
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| Unusable(format!("{}: {error}", folder.display())))?;
    }
    let held = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock);
    let held = held.map_err(cannot)?;
    match held.try_lock() {
        Ok(()) => Ok(held),
        Err(TryLockError::WouldBlock) => Err(Unusable(format!(
            "{}: another process uses this database; stop it, or name another file",
            file.display()
        ))),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// What lay beside the file before it was opened.
pub(super) struct Before {
    file: PathBuf,
    had_wal: bool,
}

impl Before {
    /// Looks, and refuses a `-wal` of another database: SQLite would write its pages into this one.
    pub(super) fn of(file: &Path) -> Result<Before, Unusable> {
        let wal = beside(file, "-wal");
        let wal_bytes = fs::metadata(&wal).map(|found| found.len()).ok();
        if wal_bytes.is_some_and(|bytes| bytes > 0)
            && let (Some(noted), Some(own)) = (noted_id(file), own_id(file))
            && noted != own
        {
            return Err(Unusable(format!(
                "{wal} belongs to the database that was here before {file} was put in its place, and would destroy it; \
                 remove {wal}, or use `restore`, which does it right",
                wal = wal.display(),
                file = file.display(),
            )));
        }
        Ok(Before { file: file.to_owned(), had_wal: wal_bytes.is_some() })
    }

    /// Checks that nothing of an open database is missing, and marks it as open.
    pub(super) async fn begin(&self, connection: &mut SqliteConnection, lost: Lost) -> Result<(), Unusable> {
        let in_use: bool = sqlx::query_scalar("SELECT in_use FROM file").fetch_one(&mut *connection).await?;
        if in_use && !self.had_wal && lost == Lost::Refuse {
            return Err(Unusable(format!(
                "{file} was copied from a running node, or its {wal} was lost: what was written last is missing. Put \
                 that file beside it, or go on without what it held: start once with --new-epoch",
                file = self.file.display(),
                wal = beside(&self.file, "-wal").display(),
            )));
        }
        let mut id: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
        if id == 0 {
            id = name(connection).await?;
        }
        if !in_use && let Err(error) = set_in_use(connection, true).await {
            // On a full disk there is still much to read.
            tracing::warn!(%error, "the database cannot be marked as open");
            return note_id(&self.file, None);
        }
        // From here on the file itself says that it is open, and so does every copy of it.
        let folded = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await?;
        let is_busy: bool = folded.try_get(0)?;
        // Another program reads: what the file says is not known then.
        note_id(&self.file, (!is_busy).then_some(id))
    }
}

/// Gives a database a number of its own, by which its `-wal` is known.
pub(crate) async fn name(connection: &mut SqliteConnection) -> Result<i32, Unusable> {
    // Zero is that of a database without one.
    let id = random_number() as i32 | 1;
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA application_id = {id}"))).execute(connection).await?;
    Ok(id)
}

/// Marks the file as open, or as closed and complete.
pub(crate) async fn set_in_use(connection: &mut SqliteConnection, in_use: bool) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE file SET in_use = ?").bind(in_use).execute(connection).await.map(drop)
}

/// The number in the file itself, as it is on disk.
fn own_id(file: &Path) -> Option<i32> {
    let mut file = File::open(file).ok()?;
    file.seek(SeekFrom::Start(ID_AT)).ok()?;
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes).ok()?;
    Some(i32::from_be_bytes(bytes))
}

/// The number of the database that was opened here last.
fn noted_id(file: &Path) -> Option<i32> {
    fs::read_to_string(beside(&fs::canonicalize(file).ok()?, "-lock")).ok()?.trim().parse().ok()
}

fn note_id(file: &Path, id: Option<i32>) -> Result<(), Unusable> {
    let lock = beside(&fs::canonicalize(file).unwrap_or_else(|_| file.to_owned()), "-lock");
    let write = || -> io::Result<()> {
        let mut note = OpenOptions::new().write(true).create(true).truncate(true).open(&lock)?;
        note.write_all(id.map(|id| id.to_string()).unwrap_or_default().as_bytes())
    };
    write().map_err(|error| Unusable(format!("{}: {error}", lock.display())))
}

/// A file under the name by which it was opened. Who holds a file open can go on writing to it after somebody removed
/// or replaced it, and all that is lost at the next start.
#[derive(Debug, Clone)]
pub struct InPlace {
    file: PathBuf,
    id: Option<Id>,
}

/// Device and number: what a name stands for.
type Id = (u64, u64);

impl InPlace {
    /// What is there now.
    pub fn of(file: &Path) -> InPlace {
        InPlace { file: file.to_owned(), id: id(file) }
    }

    /// Fails with one line when it is there no longer.
    pub fn check(&self) -> Result<(), String> {
        match id(&self.file) {
            None => Err(format!("{} was removed", self.file.display())),
            now if now != self.id => Err(format!("{} was replaced", self.file.display())),
            _ => Ok(()),
        }
    }
}

#[cfg(unix)]
fn id(file: &Path) -> Option<Id> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(file).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn id(file: &Path) -> Option<Id> {
    fs::metadata(file).ok().map(|_| (0, 0))
}
