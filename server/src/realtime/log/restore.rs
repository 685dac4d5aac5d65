//! A backup, looked through and put back.

use std::fs;
use std::path::{Path, PathBuf, absolute};
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::{Connection, Row, SqliteConnection};

use super::{LogError, Summary, backup};
use crate::random::random_text;
use crate::sqlite::guard::beside;
use crate::sqlite::{self, read};

/// Faults of a file that are told; there may be thousands.
const TOLD_MAX: usize = 3;

/// What was put back, and where the log is now that was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the log holds now.
    pub holds: Summary,
    /// Nothing where there was none.
    pub before: Option<PathBuf>,
}

/// Reads all of the file: its pages, its schema, and that every topic has each of its events once.
pub(super) async fn verify(file: &Path) -> Result<Summary, LogError> {
    if !file.is_file() {
        return Err(LogError("there is no such file".into()));
    }
    let file = absolute(file)?;
    sqlite::check_schema(&file).await?;
    let mut connection = read(&file).await?;
    let faults = sqlx::query_scalar::<_, String>("PRAGMA integrity_check").fetch_all(&mut connection).await?;
    refuse_if(&faults, faults != ["ok"], "is damaged")?;
    let orphans = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await?;
    let orphans: Vec<String> =
        orphans.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<_, _>>()?;
    refuse_if(&orphans, !orphans.is_empty(), "has rows that lead nowhere")?;
    let torn = sqlx::query_scalar::<_, String>(
        "SELECT name FROM topics WHERE head <> (SELECT count(*) FROM events WHERE topic = id)
         OR head <> (SELECT coalesce(max(seq), 0) FROM events WHERE topic = id)",
    )
    .fetch_all(&mut connection)
    .await?;
    refuse_if(&torn, !torn.is_empty(), "lacks events of topics")?;
    let lives: i64 = sqlx::query_scalar("SELECT count(*) FROM life").fetch_one(&mut connection).await?;
    if lives != 1 {
        return Err(LogError("is a database of no node: it has no epoch".into()));
    }
    let summary = Summary::of(&mut connection).await;
    connection.close().await?;
    summary
}

fn refuse_if(faults: &[String], is_wrong: bool, what: &str) -> Result<(), LogError> {
    if !is_wrong {
        return Ok(());
    }
    let told = faults.iter().take(TOLD_MAX).cloned().collect::<Vec<_>>().join("; ");
    let more = if faults.len() > TOLD_MAX { ", and more" } else { "" };
    Err(LogError(format!("{what}: {told}{more}")))
}

/// At every moment there is one whole database under the name of the log: the old one, or the new one.
pub(super) async fn restore(from: &Path, log: &Path) -> Result<Restored, LogError> {
    let holds = verify(from).await?;
    let log = fs::canonicalize(log).unwrap_or_else(|_| log.to_owned());
    let new = backup::unfinished(&beside(&log, ".restoring"))?;
    backup::write(&absolute(from)?, &new).await?;
    begin_new_life(&new.path).await?;
    let before = match log.exists() {
        false => None,
        true => {
            complete(&log).await;
            let kept = beside(&log, &format!(".before-{}", seconds()));
            fs::hard_link(&log, &kept)?;
            keep_beside(&log, &kept)?;
            Some(kept)
        }
    };
    fs::rename(&new.path, &log)?;
    backup::sync_folder_of(&log)?;
    Ok(Restored { holds, before })
}

/// Some readers saw more than the copy holds: all start over.
async fn begin_new_life(file: &Path) -> Result<(), LogError> {
    let mut connection = SqliteConnection::connect_with(&sqlite::options(file)).await?;
    sqlx::query("PRAGMA synchronous = EXTRA").execute(&mut connection).await?;
    sqlx::query("UPDATE life SET epoch = ?")
        .bind(random_text(super::EPOCH_CHARS))
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

/// Folds what a killed node left in the `-wal` into the old database. One that cannot be opened stays as it is.
async fn complete(log: &Path) {
    let Ok(mut old) = SqliteConnection::connect_with(&sqlite::options(log)).await else { return };
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut old).await.ok();
    old.close().await.ok();
}

/// What is still beside the old database goes with it.
fn keep_beside(log: &Path, kept: &Path) -> Result<(), LogError> {
    for ending in ["-wal", "-shm"] {
        let left = beside(log, ending);
        if left.exists() {
            fs::rename(&left, beside(kept, ending))?;
        }
    }
    Ok(())
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
