//! A backup, looked through and put back.

use std::fs;
use std::path::{Path, PathBuf, absolute};
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::{Connection, Row, SqliteConnection};

use super::{LogError, Summary, backup};
use crate::random::random_text;
use crate::sqlite::guard::{self, beside, real, sync_folder_of};
use crate::sqlite::{self, read};

/// Faults of a file that are told; there may be thousands.
const TOLD_MAX: usize = 3;

/// The outcome of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// A summary of the log as it is now.
    pub holds: Summary,
    /// The file that keeps the log from before; none if there was no log.
    pub before: Option<PathBuf>,
}

/// Reads all of the file: its pages, its schema, and that every topic has each of its events once.
pub(super) async fn verify(file: &Path) -> Result<Summary, LogError> {
    let found =
        fs::metadata(file).map_err(|error| LogError(format!("there is no such file to read: {error}")))?;
    if !found.is_file() {
        return Err(LogError("it is no file; name a backup".into()));
    }
    if found.len() == 0 {
        return Err(LogError("it is empty".into()));
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
    let lines: Vec<&str> = faults.iter().flat_map(|fault| fault.lines()).map(str::trim).collect();
    let told = lines.iter().take(TOLD_MAX).copied().collect::<Vec<_>>().join("; ");
    let more = if lines.len() > TOLD_MAX { ", and more" } else { "" };
    Err(LogError(format!("{what}: {told}{more}")))
}

/// At every moment there is one whole database under the name of the log: the old one, or the new one.
pub(super) async fn restore(from: &Path, log: &Path) -> Result<Restored, LogError> {
    let log = real(log)?;
    let path = beside(&log, ".restoring");
    if real(from)? == path {
        return Err(LogError("what a restore writes on the way is no backup; name another file".into()));
    }
    let holds = verify(from).await?;
    let new = backup::unfinished(&path)?;
    let made = async {
        backup::write(&absolute(from)?, &new).await?;
        begin_new_life(&new.path).await?;
        let before = keep_what_is_there(&log).await?;
        fs::rename(&new.path, &log)?;
        Ok(before)
    };
    match made.await {
        Ok(before) => {
            sync_folder_of(&log).map_err(|error| {
                LogError(format!("it is in place, and the folder cannot be written to disk: {error}"))
            })?;
            Ok(Restored { holds, before })
        }
        Err(error) => {
            new.remove();
            Err(error)
        }
    }
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

/// Gives the old database a second name, complete as it is; nothing where there is none.
async fn keep_what_is_there(log: &Path) -> Result<Option<PathBuf>, LogError> {
    if !log.exists() {
        return Ok(None);
    }
    // What a killed node left in the -wal is folded in. One that cannot be opened stays as it is.
    if let Ok(mut old) = SqliteConnection::connect_with(&sqlite::options(log)).await {
        guard::end(&mut old).await.ok();
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut old).await.ok();
        old.close().await.ok();
    }
    let seconds = seconds();
    let free = |number: &u32| !kept_as(log, seconds, *number).exists();
    let number = (0..).find(free).unwrap_or_default();
    let kept = kept_as(log, seconds, number);
    let cannot = |error: std::io::Error| LogError(format!("{}: {error}", kept.display()));
    // Not every file system has second names, nor lets everybody give them.
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
