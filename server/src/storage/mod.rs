//! `Storage`: the database behind a URL, opened once for all that keep something in it, and closed once.
//!
//! The log and the accounts share it: two connections that write would only wait for each other.

use std::fs::File;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use realtime::{EventLog, LogError};

use crate::accounts::{Accounts, AccountsError};

mod sqlite;

pub use sqlite::FileIdentity;
pub use sqlite::backup::{Summary, backup, verify};
pub(crate) use sqlite::describe;
pub use sqlite::restore::{Restored, restore};

/// The place of a database: `sqlite:FILE`, with the file as it is written, whatever characters its path has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of this machine.
    Sqlite(PathBuf),
}

/// An open database.
pub struct Storage {
    /// The log in it.
    pub log: Arc<dyn EventLog>,
    /// The accounts in it.
    pub accounts: Arc<dyn Accounts>,
    /// A summary of the log as it was found; `None` if the database was made just now.
    pub found: Option<Summary>,
    database: sqlite::Database,
}

/// The choice of the log's epoch when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewEpoch {
    /// Positions of readers stay valid. A file whose newest events were lost is refused.
    Keep,
    /// Every reader starts over, and a file whose newest events were lost is accepted.
    Begin,
}

/// The database cannot be used. One line, which names the file and the cause.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct DbError(pub String);

impl Location {
    /// Reads a URL. The error for an unknown one names only its scheme: the rest may hold a password.
    pub fn parse(url: &str) -> Result<Location, DbError> {
        let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
        match (scheme, rest.strip_prefix("//").unwrap_or(rest)) {
            ("sqlite", "" | ":memory:") => Err(DbError(
                "a database in memory keeps nothing: name a file, as in sqlite:data/duplex.db".into(),
            )),
            ("sqlite", file) => Location::of_file(Path::new(file)),
            _ => {
                let scheme = if rest.is_empty() { "" } else { scheme };
                Err(DbError(format!("unknown scheme {scheme:?}: sqlite:FILE is known")))
            }
        }
    }

    /// The SQLite database in that file. The path is made absolute, because SQLite reads some relative names as URLs.
    pub fn of_file(file: &Path) -> Result<Location, DbError> {
        absolute(file).map(Location::Sqlite).map_err(|error| DbError(error.to_string()))
    }

    /// The file that holds the database.
    pub fn file(&self) -> &Path {
        let Location::Sqlite(file) = self;
        file
    }

    /// Keeps every other process from opening the database, for as long as the file is held and in its place.
    pub fn lock(&self) -> Result<(File, FileIdentity), DbError> {
        let Location::Sqlite(file) = self;
        sqlite::lock(file)
    }

    /// Reads the database, if there is one, and changes nothing. Fails if [`Storage::open`] would.
    pub async fn check(&self) -> Result<(), DbError> {
        let Location::Sqlite(file) = self;
        if file.exists() {
            sqlite::check_schema(file).await?;
        }
        Ok(())
    }
}

impl Storage {
    /// Opens the database, makes it if there is none, and runs the migrations that it lacks.
    pub async fn open(location: &Location, new_epoch: NewEpoch) -> Result<Storage, DbError> {
        let Location::Sqlite(file) = location;
        let database = sqlite::Database::open(file, new_epoch).await?;
        let (log, found) = sqlite::SqliteLog::open(database.clone(), new_epoch).await?;
        let accounts = Arc::new(sqlite::SqliteAccounts::new(database.clone()));
        Ok(Storage { log: Arc::new(log), accounts, found, database })
    }

    /// Closes the database, once nobody uses the log or the accounts any more.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

impl From<DbError> for LogError {
    fn from(DbError(cause): DbError) -> LogError {
        LogError(cause)
    }
}

impl From<DbError> for AccountsError {
    fn from(DbError(cause): DbError) -> AccountsError {
        AccountsError(cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_as_it_is_written() {
        for (url, file) in [
            ("sqlite:/data/a%20b?.db", "/data/a%20b?.db"),
            ("sqlite:///data/x.db", "/data/x.db"),
            ("sqlite:/file:x.db", "/file:x.db"),
        ] {
            assert_eq!(Location::parse(url).unwrap().file(), Path::new(file), "{url}");
        }
        assert!(Location::parse("sqlite:data/x.db").unwrap().file().is_absolute());
        assert!(Location::parse("sqlite:file:x.db").unwrap().file().ends_with("file:x.db"));
    }

    #[test]
    fn a_url_that_names_no_file_or_an_unknown_database_is_refused() {
        for url in ["sqlite:", "sqlite://", "sqlite::memory:"] {
            assert!(Location::parse(url).unwrap_err().0.contains("name a file"), "{url}");
        }
        for url in ["", "nonsense", "mysql:x", "postgres://ada:secret@db/x", "data/duplex.db"] {
            let error = Location::parse(url).unwrap_err().0;
            assert!(error.contains("sqlite:FILE") && !error.contains("secret"), "{error}");
        }
    }
}
