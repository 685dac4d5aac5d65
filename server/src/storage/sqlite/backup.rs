//! Backups: a copy of a database that is in use, as one SQLite file, and the check of such a file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf, absolute};

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use super::database::{check_schema, epoch_table, open_read_only, options};
use super::file_guard::{self, beside, sync_folder_of};
use super::summary::Summary;
use crate::storage::epoch::NewEpoch;
use crate::storage::error::DbError;
use crate::storage::location::Location;

/// Faults of a file that are named in an error; there may be thousands.
const FAULTS_NAMED_MAX: usize = 3;

/// Copies one snapshot of the database to a file that must not exist yet, while nodes go on using it. The new
/// name appears only once the copy is complete and synced. Also returns its size in bytes.
pub async fn backup(location: &Location, to: &Path) -> Result<(Summary, u64), DbError> {
    let from = location.file();
    if to.exists() {
        return Err(DbError("the file exists; a backup never overwrites".into()));
    }
    if !from.is_file() {
        return Err(DbError(format!("there is no database {} to copy", from.display())));
    }
    check_schema(from, NewEpoch::Keep).await?;
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

/// A file that is being written under a name of its own, locked by its writer.
pub(super) struct Unfinished {
    pub(super) path: PathBuf,
    file: File,
}

impl Unfinished {
    /// Removes the file. If that fails, the next writer begins it anew.
    pub(super) fn remove(&self) {
        fs::remove_file(&self.path).ok();
        fs::remove_file(beside(&self.path, "-journal")).ok();
    }
}

/// Creates an empty file to write. One that a killed process left is begun anew; of two writers at the same time, the
/// second one fails.
pub(super) fn unfinished(path: &Path) -> Result<Unfinished, DbError> {
    let cannot = |error: io::Error| DbError(format!("{}: {error}", path.display()));
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => file.set_len(0).map_err(cannot)?,
        Err(TryLockError::WouldBlock) => {
            return Err(DbError(format!("{}: another process is writing it", path.display())));
        }
        Err(TryLockError::Error(error)) => return Err(cannot(error)),
    }
    Ok(Unfinished { path: path.to_owned(), file })
}

/// Writes the database into one file, complete and closed.
pub(super) async fn write(from: &Path, to: &Unfinished) -> Result<Summary, DbError> {
    let name = to.path.to_str().ok_or_else(|| DbError("the name of the file is not valid UTF-8".into()))?;
    let mut source = open_read_only(from).await?;
    // SQLite fills an empty file, and refuses any other.
    sqlx::query("VACUUM INTO ?").bind(name).execute(&mut source).await?;
    source.close().await?;
    let mut copy = SqliteConnection::connect_with(&options(&to.path)).await?;
    // A new number, so that the original's -wal is not taken for the copy's.
    file_guard::mark_complete(&mut copy).await?;
    let summary = Summary::of(&mut copy).await?;
    copy.close().await?;
    to.file.sync_all()?;
    Ok(summary)
}

/// Reads all of a backup: its pages, its schema, and that every topic has each of its events once. Changes nothing.
pub async fn verify(file: &Path) -> Result<Summary, DbError> {
    let found = fs::metadata(file).map_err(|error| DbError(format!("the file cannot be read: {error}")))?;
    if !found.is_file() {
        return Err(DbError("it is not a file; name a backup".into()));
    }
    if found.len() == 0 {
        return Err(DbError("it is empty".into()));
    }
    let file = absolute(file)?;
    check_schema(&file, NewEpoch::Keep).await?;
    let mut connection = open_read_only(&file).await?;
    let faults = sqlx::query_scalar::<_, String>("PRAGMA integrity_check").fetch_all(&mut connection).await?;
    refuse_if(&faults, faults != ["ok"], "is damaged")?;
    let orphans = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await?;
    let orphans: Vec<String> =
        orphans.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<_, _>>()?;
    refuse_if(&orphans, !orphans.is_empty(), "has rows that refer to missing ones")?;
    let torn = sqlx::query_scalar::<_, String>(
        "SELECT name FROM topics WHERE head <> (SELECT count(*) FROM events WHERE topic = id)
         OR head <> (SELECT coalesce(max(seq), 0) FROM events WHERE topic = id)",
    )
    .fetch_all(&mut connection)
    .await?;
    refuse_if(&torn, !torn.is_empty(), "lacks events of topics")?;
    let table = epoch_table(&mut connection).await?;
    let epochs = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
    let epochs: i64 = epochs.fetch_one(&mut connection).await?;
    if epochs != 1 {
        return Err(DbError("is not the database of a node: it has no epoch".into()));
    }
    let summary = Summary::of(&mut connection).await;
    connection.close().await?;
    summary
}

fn refuse_if(faults: &[String], is_wrong: bool, what: &str) -> Result<(), DbError> {
    if !is_wrong {
        return Ok(());
    }
    let lines: Vec<&str> = faults.iter().flat_map(|fault| fault.lines()).map(str::trim).collect();
    let named = lines.iter().take(FAULTS_NAMED_MAX).copied().collect::<Vec<_>>().join("; ");
    let more = if lines.len() > FAULTS_NAMED_MAX { ", and more" } else { "" };
    Err(DbError(format!("{what}: {named}{more}")))
}
