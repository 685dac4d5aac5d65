//! A copy of a log that is in use, as one SQLite file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf, absolute};

use sqlx::{Connection, SqliteConnection};

use super::{LogError, Summary};
use crate::sqlite::guard::{self, beside, sync_folder_of};
use crate::sqlite::{self, read};

/// Copies one snapshot of the log and of the people in it to `to`, which must not exist. Under that name there is
/// a whole copy that is on disk, or none.
pub(super) async fn copy(from: &Path, to: &Path) -> Result<(Summary, u64), LogError> {
    if to.exists() {
        return Err(LogError("there is such a file; a backup replaces none".into()));
    }
    if !from.is_file() {
        return Err(LogError(format!("there is no database {} to copy", from.display())));
    }
    sqlite::check_schema(from).await?;
    let unfinished = unfinished(&beside(&absolute(to)?, ".unfinished"))?;
    let copied = write(from, &unfinished).await;
    match copied {
        Ok(copied) => {
            let bytes = unfinished.file.metadata()?.len();
            fs::rename(&unfinished.path, to)?;
            sync_folder_of(to)?;
            Ok((copied, bytes))
        }
        Err(error) => {
            unfinished.remove();
            Err(error)
        }
    }
}

/// A file that is being written under a name that says so, locked by who writes it.
pub(super) struct Unfinished {
    pub(super) path: PathBuf,
    file: File,
}

impl Unfinished {
    /// Leaves nothing of it. What cannot be removed is begun anew the next time.
    pub(super) fn remove(&self) {
        fs::remove_file(&self.path).ok();
        fs::remove_file(beside(&self.path, "-journal")).ok();
    }
}

/// An empty one. What another process left when it was killed is begun anew; of two that write at the same time, the
/// second one ends here.
pub(super) fn unfinished(path: &Path) -> Result<Unfinished, LogError> {
    let cannot = |error: io::Error| LogError(format!("{}: {error}", path.display()));
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => file.set_len(0).map_err(cannot)?,
        Err(TryLockError::WouldBlock) => {
            return Err(LogError(format!("{}: another process is writing it", path.display())));
        }
        Err(TryLockError::Error(error)) => return Err(cannot(error)),
    }
    Ok(Unfinished { path: path.to_owned(), file })
}

/// The database in one file, complete and closed.
pub(super) async fn write(from: &Path, to: &Unfinished) -> Result<Summary, LogError> {
    let name = to.path.to_str().ok_or_else(|| LogError("the name of the file is no UTF-8".into()))?;
    let mut source = read(from).await?;
    // SQLite fills a file that is empty, and replaces none.
    sqlx::query("VACUUM INTO ?").bind(name).execute(&mut source).await?;
    source.close().await?;
    let mut copy = SqliteConnection::connect_with(&sqlite::options(&to.path)).await?;
    // A -wal of the original is none of the copy's.
    guard::complete(&mut copy).await?;
    let summary = Summary::of(&mut copy).await?;
    copy.close().await?;
    to.file.sync_all()?;
    Ok(summary)
}

impl From<io::Error> for LogError {
    fn from(error: io::Error) -> LogError {
        LogError(error.to_string())
    }
}
