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

use super::{Lost, Unusable};
use crate::random::random_number;

/// Where SQLite keeps two numbers that a program may use as it likes, big-endian: `user_version`, here whether the file
/// is open, and `application_id`, here the number of the opening (SQLite, "Database File Format", §1.3).
const IN_USE_AT: usize = 60;
const ID_AT: usize = 68;
const HEAD_BYTES: usize = 100;
/// Begins every SQLite database.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// The mark of an open file.
const IN_USE: u32 = 1;

/// The file with another ending, as SQLite names what belongs to it.
pub(crate) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    name.into()
}

/// The file itself, where its name is a link: SQLite puts what belongs to it beside that one.
pub(crate) fn real(file: &Path) -> Result<PathBuf, Unusable> {
    match fs::canonicalize(file) {
        Ok(real) => Ok(real),
        Err(_) if file.is_symlink() => Err(Unusable(format!(
            "{} is a link that leads nowhere: is something not mounted?",
            file.display()
        ))),
        Err(_) => Ok(file.to_owned()),
    }
}

/// Keeps other processes away, whatever folder they take for their own: two that write would number events twice.
pub(crate) fn lock(file: &Path) -> Result<(File, InPlace), Unusable> {
    let file = real(file)?;
    let lock = beside(&file, "-lock");
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| Unusable::of(folder, &error))?;
    }
    let held = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock);
    let held = held.map_err(|error| Unusable::of(&lock, &error))?;
    match held.try_lock() {
        Ok(()) => Ok((held, InPlace::of(&lock))),
        Err(TryLockError::WouldBlock) => Err(Unusable(format!(
            "{}: another process uses this database; stop it, or name another file",
            file.display()
        ))),
        Err(TryLockError::Error(error)) => Err(Unusable::of(&lock, &error)),
    }
}

/// The number of a file and whether it is open, as the file itself says on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Head {
    id: u32,
    in_use: bool,
}

impl Head {
    /// Of a file without a head, as one that was only just made, all is zero.
    fn of(file: &Path) -> Result<Head, Unusable> {
        let mut bytes = [0; HEAD_BYTES];
        match File::open(file) {
            Ok(mut opened) => match opened.read_exact(&mut bytes) {
                Ok(()) if bytes.starts_with(MAGIC) => {}
                Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                    return Err(Unusable::of(file, &error));
                }
                // Only just made.
                Err(_) if opened.metadata().is_ok_and(|found| found.len() == 0) => return Ok(Head::default()),
                _ => return Err(Unusable(format!("{} is no SQLite database", file.display()))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Head::default()),
            Err(error) => return Err(Unusable::of(file, &error)),
        }
        let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Ok(Head { id: number(ID_AT), in_use: number(IN_USE_AT) == IN_USE })
    }
}

/// A file as it was found, before SQLite opened it.
pub(super) struct Before {
    file: PathBuf,
    head: Head,
}

impl Before {
    /// Looks, and refuses what would lose or destroy something. Nothing is changed by it.
    pub(crate) fn of(file: &Path, lost: Lost) -> Result<Before, Unusable> {
        let (head, noted) = (Head::of(file)?, noted(file));
        let wal = beside(file, "-wal");
        let bytes = fs::metadata(&wal).map(|found| found.len()).ok();
        let knows = noted.contains(&head.id);
        if bytes.is_some_and(|bytes| bytes > 0) {
            if !noted.is_empty() && !knows {
                return Err(Unusable(format!(
                    "{wal} belongs to the database that was here before {file} was put in its place, and would destroy \
                     it; move {wal} away, or use `restore`, which does it right",
                    wal = wal.display(),
                    file = file.display(),
                )));
            }
        } else if head.in_use && lost == Lost::Refuse {
            // SQLite itself, which folds the -wal in before it removes it, empties it or removes the -shm as well.
            let was_folded = knows && (bytes.is_some() || !beside(file, "-shm").exists());
            if !was_folded {
                return Err(Unusable(format!(
                    "{file} was copied from a running node, or its {wal} was lost: what was written last is missing. \
                     Put that file beside it; a node that is to go on without what it held is started once with --new-epoch",
                    file = file.display(),
                    wal = wal.display(),
                )));
            }
        }
        Ok(Before { file: file.to_owned(), head })
    }

    /// Notes the number that this opening gives the file. Returns it, or nothing where nothing can be written: then the
    /// file stays as it is marked.
    pub(super) fn prepare(&self) -> Option<u32> {
        // Zero is that of a file without one.
        let id = random_number() | 1;
        match note(&self.file, &[self.head.id, id]) {
            Ok(()) => Some(id),
            Err(error) => {
                // On a full disk there is still much to read.
                tracing::warn!(%error, "it cannot be noted which -wal belongs to the database");
                None
            }
        }
    }

    /// Marks the file as open, by that number.
    pub(super) async fn begin(&self, connection: &mut SqliteConnection, id: u32) {
        let marked = async {
            mark(connection, id, true).await?;
            // From here on the file itself says that it is open, and so does every copy of it.
            let folded = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await?;
            folded.try_get::<bool, _>(0)
        };
        match marked.await {
            // Another program reads: the file may still have its old number.
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

/// Marks a file as closed and complete, by a number of its own.
pub(crate) async fn complete(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    mark(connection, random_number() | 1, false).await
}

/// Marks a file as closed. It keeps its number, to which what lies beside it belongs.
pub(crate) async fn end(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
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

/// The numbers of which the `-wal` beside a file may be; none where that is not known.
fn noted(file: &Path) -> Vec<u32> {
    let text = fs::read_to_string(beside(file, "-note")).unwrap_or_default();
    text.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

/// Writes them down, whole and on disk, before what they speak of is.
fn note(file: &Path, ids: &[u32]) -> Result<(), Unusable> {
    let (note, new) = (beside(file, "-note"), beside(file, "-note.new"));
    let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
    let write = || -> io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &note)?;
        sync_folder_of(&note)
    };
    write().map_err(|error| Unusable::of(&note, &error))
}

/// A new name is on disk once its folder is.
#[cfg(unix)]
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_folder_of(_path: &Path) -> io::Result<()> {
    Ok(())
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
    /// The file that has this name now.
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
