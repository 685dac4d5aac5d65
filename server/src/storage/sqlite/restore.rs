//! Restores: a backup put in the place of a database.

use std::fs;
use std::path::{Path, PathBuf, absolute};
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::backup::{self, verify};
use super::database::{EPOCH_CHARS, epoch_table, options};
use super::file_guard::{self, beside, resolve, sync_folder_of};
use super::summary::Summary;
use crate::random::random_text;
use crate::storage::error::DbError;
use crate::storage::location::Location;

/// The outcome of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// A summary of the log as it is now.
    pub summary: Summary,
    /// The file that keeps the log from before; none if there was no log.
    pub before: Option<PathBuf>,
}

/// Puts a backup in the place of a database that no process has open, with a new epoch. At every moment there is one
/// whole database under that name, the old one or the new one.
pub async fn restore(from: &Path, location: &Location) -> Result<Restored, DbError> {
    let log = resolve(location.file())?;
    let path = beside(&log, ".restoring");
    if resolve(from)? == path {
        return Err(DbError("this is the file that a restore writes to; name the backup".into()));
    }
    let summary = verify(from).await?;
    let new = backup::unfinished(&path)?;
    let made = async {
        backup::write(&absolute(from)?, &new).await?;
        begin_new_epoch(&new.path).await?;
        let before = keep_old_database(&log).await?;
        fs::rename(&new.path, &log)?;
        Ok(before)
    };
    match made.await {
        Ok(before) => {
            sync_folder_of(&log).map_err(|error| {
                DbError(format!("the backup is in place, but its folder cannot be synced to disk: {error}"))
            })?;
            Ok(Restored { summary, before })
        }
        Err(error) => {
            new.remove();
            Err(error)
        }
    }
}

/// Gives the file a new epoch: some readers have seen more than it holds, so all must start over.
async fn begin_new_epoch(file: &Path) -> Result<(), DbError> {
    let mut connection = SqliteConnection::connect_with(&options(file)).await?;
    sqlx::query("PRAGMA synchronous = EXTRA").execute(&mut connection).await?;
    let table = epoch_table(&mut connection).await?;
    sqlx::query(AssertSqlSafe(format!("UPDATE {table} SET epoch = ?")))
        .bind(random_text(EPOCH_CHARS))
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

/// Gives the old database a second name; `None` if there is none.
async fn keep_old_database(log: &Path) -> Result<Option<PathBuf>, DbError> {
    if !log.exists() {
        return Ok(None);
    }
    // Fold in the -wal that a killed node left. A database that cannot be opened stays as it is.
    if let Ok(mut old) = SqliteConnection::connect_with(&options(log)).await {
        file_guard::mark_closed(&mut old).await.ok();
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut old).await.ok();
        old.close().await.ok();
    }
    let seconds = seconds();
    let free = |number: &u32| !kept_as(log, seconds, *number).exists();
    let number = (0..).find(free).unwrap_or_default();
    let kept = kept_as(log, seconds, number);
    let cannot = |error: std::io::Error| DbError(format!("{}: {error}", kept.display()));
    // Not every file system has hard links, nor allows them to every user.
    let copy = || fs::copy(log, &kept).and_then(|_| fs::File::open(&kept)?.sync_all());
    fs::hard_link(log, &kept).or_else(|_| copy()).map_err(cannot)?;
    for ending in ["-wal", "-shm"] {
        let left = beside(log, ending);
        if left.exists() {
            fs::rename(&left, beside(&kept, ending)).map_err(cannot)?;
        }
    }
    Ok(Some(kept))
}

fn kept_as(log: &Path, seconds: u64, number: u32) -> PathBuf {
    let more = if number == 0 { String::new() } else { format!("-{number}") };
    beside(log, &format!(".before-{seconds}{more}"))
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
