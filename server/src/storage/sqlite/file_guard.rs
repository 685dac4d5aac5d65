//! The guard of a database file: it is opened by one process at a time, together with the `-wal` that belongs to it,
//! and stays under the name by which it was opened.
//!
//! The newest commits are in the `-wal` file until SQLite folds it in. A copy of the file alone lacks it, and a file
//! that was put in place of another must not meet the other's. SQLite notices neither. So each opening gives the file a
//! number, and a note beside it names the numbers that its `-wal` may belong to; and the file itself says whether it is
//! open. Both are read before SQLite sees the file, which would change it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use crate::random::random_number;
use crate::storage::epoch::NewEpoch;
use crate::storage::error::DbError;

/// The offsets of two big-endian numbers that a program may use as it likes: `user_version`, here [`IN_USE`] or 0, and
/// `application_id`, here the number of the opening (SQLite, "Database File Format", §1.3).
const IN_USE_AT: usize = 60;
const ID_AT: usize = 68;
const HEADER_BYTES: usize = 100;
/// The first bytes of every SQLite database.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// The mark of an open file.
const IN_USE: u32 = 1;

/// Adds an ending to a file's name, as SQLite does for the files that belong to it.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    name.into()
}

/// Resolves a name that is a link: SQLite puts the files that belong to a database beside the file itself.
pub(super) fn resolve(file: &Path) -> Result<PathBuf, DbError> {
    match fs::canonicalize(file) {
        Ok(real) => Ok(real),
        Err(_) if file.is_symlink() => Err(DbError(format!(
            "{} is a link that leads nowhere: is something not mounted?",
            file.display()
        ))),
        Err(_) => Ok(file.to_owned()),
    }
}

/// Locks the database against other processes, whichever data folder they use: two that write would number events twice.
pub fn lock(file: &Path) -> Result<(File, FileIdentity), DbError> {
    let file = resolve(file)?;
    let lock = beside(&file, "-lock");
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| DbError::of(folder, &error))?;
    }
    let held = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock);
    let held = held.map_err(|error| DbError::of(&lock, &error))?;
    match held.try_lock() {
        Ok(()) => Ok((held, FileIdentity::of(&lock))),
        Err(TryLockError::WouldBlock) => Err(DbError(format!(
            "{}: another process uses this database; stop it, or name another file",
            file.display()
        ))),
        Err(TryLockError::Error(error)) => Err(DbError::of(&lock, &error)),
    }
}

/// The two numbers in a file's header: the one of its last opening, and the mark of an open file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct FileHeader {
    id: u32,
    in_use: bool,
}

impl FileHeader {
    /// Reads them. They are zero in a file that does not exist or was only just made.
    fn read(file: &Path) -> Result<FileHeader, DbError> {
        let mut bytes = [0; HEADER_BYTES];
        match File::open(file) {
            Ok(mut opened) => match opened.read_exact(&mut bytes) {
                Ok(()) if bytes.starts_with(MAGIC) => {}
                Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                    return Err(DbError::of(file, &error));
                }
                Err(_) if opened.metadata().is_ok_and(|found| found.len() == 0) => {
                    return Ok(FileHeader::default());
                }
                _ => return Err(DbError(format!("{} is not a SQLite database", file.display()))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FileHeader::default()),
            Err(error) => return Err(DbError::of(file, &error)),
        }
        let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Ok(FileHeader { id: number(ID_AT), in_use: number(IN_USE_AT) == IN_USE })
    }
}

/// A file as it was found before SQLite opened it.
pub(super) struct FoundFile {
    file: PathBuf,
    header: FileHeader,
}

impl FoundFile {
    /// Refuses to open a file if that would lose or destroy events. Changes nothing.
    pub(super) fn check(file: &Path, new_epoch: NewEpoch) -> Result<FoundFile, DbError> {
        let header = FileHeader::read(file)?;
        let noted = noted(file);
        let wal = beside(file, "-wal");
        let bytes = fs::metadata(&wal).map(|found| found.len()).ok();
        let knows = noted.contains(&header.id);
        if bytes.is_some_and(|bytes| bytes > 0) {
            if !noted.is_empty() && !knows {
                return Err(DbError(format!(
                    "{wal} belongs to the database that was here before {file} was put in its place, and would destroy \
                     it; move {wal} away, or use `restore`, which does it right",
                    wal = wal.display(),
                    file = file.display(),
                )));
            }
        } else if header.in_use && new_epoch == NewEpoch::Keep {
            // SQLite folds the -wal in before it empties it, or before it removes it together with the -shm.
            let was_folded = knows && (bytes.is_some() || !beside(file, "-shm").exists());
            if !was_folded {
                return Err(DbError(format!(
                    "{file} was copied from a running node, or its {wal} was lost: what was written last is missing. \
                     Put that file beside it; a node that is to go on without what it held is started once with --new-epoch",
                    file = file.display(),
                    wal = wal.display(),
                )));
            }
        }
        Ok(FoundFile { file: file.to_owned(), header })
    }

    /// Notes the number that this opening gives the file, and returns it. `None` if the disk takes no note: then the file
    /// keeps its marks.
    pub(super) fn prepare(&self) -> Option<u32> {
        // Odd, because zero stands for a file without a number.
        let id = random_number() | 1;
        match note(&self.file, &[self.header.id, id]) {
            Ok(()) => Some(id),
            Err(error) => {
                // Not an error: on a full disk the database can still be read.
                tracing::warn!(%error, "it cannot be noted which -wal belongs to the database");
                None
            }
        }
    }

    /// Marks the file as open, under that number.
    pub(super) async fn mark_open(&self, connection: &mut SqliteConnection, id: u32) {
        let marked = async {
            mark(connection, id, true).await?;
            // Folded in, the mark is in the file itself, and in every copy of it.
            let folded = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await?;
            folded.try_get::<bool, _>(0)
        };
        match marked.await {
            // Another program is reading, and the file may still have its old number.
            Ok(true) => {}
            Ok(false) => {
                if let Err(error) = note(&self.file, &[id]) {
                    tracing::warn!(%error, "the note beside the database stays as it was");
                }
            }
            Err(error) => tracing::warn!(%error, "the database cannot be marked as open"),
        }
    }
}

/// Marks a file as closed and complete, under a new number.
pub(super) async fn mark_complete(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    mark(connection, random_number() | 1, false).await
}

/// Marks a file as closed. It keeps its number, which the files beside it belong to.
pub(super) async fn mark_closed(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA user_version = 0").execute(connection).await.map(drop)
}

async fn mark(connection: &mut SqliteConnection, id: u32, in_use: bool) -> Result<(), sqlx::Error> {
    let marks = format!(
        "PRAGMA application_id = {}; PRAGMA user_version = {}",
        id as i32,
        if in_use { IN_USE } else { 0 }
    );
    sqlx::raw_sql(AssertSqlSafe(marks)).execute(connection).await.map(drop)
}

/// Reads the numbers that the `-wal` beside a file may belong to; none if that is not known.
fn noted(file: &Path) -> Vec<u32> {
    let text = fs::read_to_string(beside(file, "-note")).unwrap_or_default();
    text.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

/// Writes the numbers to disk, in one step, before a `-wal` of theirs is written.
fn note(file: &Path, ids: &[u32]) -> Result<(), DbError> {
    let (note, new) = (beside(file, "-note"), beside(file, "-note.new"));
    let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
    let write = || -> io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &note)?;
        sync_folder_of(&note)
    };
    write().map_err(|error| DbError::of(&note, &error))
}

/// Syncs the folder of a file: a new name is on disk only then.
#[cfg(unix)]
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder_of(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// The identity of the file behind a name. A process can go on writing to an open file after somebody removed or replaced
/// it, and all of that is lost at the next start.
#[derive(Debug, Clone)]
pub struct FileIdentity {
    file: PathBuf,
    id: Option<Id>,
}

/// Device and inode.
type Id = (u64, u64);

impl FileIdentity {
    /// Takes the identity of the file that has this name now.
    pub fn of(file: &Path) -> FileIdentity {
        FileIdentity { file: file.to_owned(), id: id(file) }
    }

    /// Fails with one line if the name stands for another file now, or for none.
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
