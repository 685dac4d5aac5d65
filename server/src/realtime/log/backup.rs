//! A copy of a log that is in use, as one SQLite file.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use sqlx::Connection;

use super::LogError;
use crate::sqlite;

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Over all topics.
    pub events: u64,
    /// The size of the file.
    pub bytes: u64,
}

/// Copies one snapshot of the log and of the people in it to `to`, which must not exist. Under that name there is
/// a whole copy that is on disk, or none.
pub(super) async fn copy(url: &str, to: &Path) -> Result<Copied, LogError> {
    if to.exists() {
        return Err(LogError("there is such a file; a backup replaces none".into()));
    }
    let unfinished = with_ending(to, ".unfinished");
    // Of two that copy to one place, the second one ends here.
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&unfinished)
        .map_err(|error| LogError(format!("{}: {error}", unfinished.display())))?;
    let copied = write(url, &unfinished, &file).await;
    match copied {
        Ok(copied) => {
            fs::rename(&unfinished, to)?;
            sync_name(to)?;
            Ok(copied)
        }
        Err(error) => {
            fs::remove_file(&unfinished)?;
            Err(error)
        }
    }
}

async fn write(url: &str, unfinished: &Path, file: &File) -> Result<Copied, LogError> {
    let name = unfinished.to_str().ok_or_else(|| LogError("the name of the file is no UTF-8".into()))?;
    file.set_permissions(fs::metadata(sqlite::file(url)?)?.permissions())?;
    let mut source = sqlite::read(url).await?;
    // SQLite fills a file that is empty, and replaces none.
    sqlx::query("VACUUM INTO ?").bind(name).execute(&mut source).await?;
    source.close().await?;
    file.sync_all()?;
    let mut copy = sqlite::read(&format!("sqlite:{name}")).await?;
    // Topics have no holes, so their heads are the number of their events.
    let events: i64 =
        sqlx::query_scalar("SELECT coalesce(sum(head), 0) FROM topics").fetch_one(&mut copy).await?;
    copy.close().await?;
    Ok(Copied { events: events.unsigned_abs(), bytes: file.metadata()?.len() })
}

fn with_ending(path: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// A new name is on disk once its folder is.
#[cfg(unix)]
fn sync_name(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_name(_path: &Path) -> io::Result<()> {
    Ok(())
}

impl From<io::Error> for LogError {
    fn from(error: io::Error) -> LogError {
        LogError(error.to_string())
    }
}
