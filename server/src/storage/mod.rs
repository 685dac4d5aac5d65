//! `Storage`: the database behind a URL, opened once for all that keep something in it, and closed once.
//!
//! The log and the accounts share it: two connections that write would only wait for each other.

mod location;
pub use location::Location;
mod epoch;
pub use epoch::NewEpoch;
mod error;
pub use error::DbError;
pub(crate) use error::describe;
mod sqlite;
pub use sqlite::{FileIdentity, Restored, Summary, backup, restore, verify};

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use realtime::EventLog;

use crate::accounts::Accounts;

/// An open database.
pub struct Storage {
    /// The log in it.
    pub log: Arc<dyn EventLog>,
    /// The accounts in it.
    pub accounts: Arc<dyn Accounts>,
    /// The file that holds it.
    pub file: PathBuf,
    /// A summary of the log as it was found; `None` if the database was made just now.
    pub found: Option<Summary>,
    database: sqlite::Database,
}

impl Location {
    /// Locks the database against other processes, for as long as the returned file stays open and in place.
    pub fn lock(&self) -> Result<(File, FileIdentity), DbError> {
        let Location::Sqlite(file) = self;
        sqlite::lock(file)
    }

    /// Reads the database, if there is one, and changes nothing. Fails if [`Storage::open`] would.
    pub async fn check(&self, new_epoch: NewEpoch) -> Result<(), DbError> {
        let Location::Sqlite(file) = self;
        if file.exists() {
            sqlite::check_schema(file, new_epoch).await?;
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
        Ok(Storage { log: Arc::new(log), accounts, file: file.clone(), found, database })
    }

    /// Closes the database, once nobody uses the log or the accounts any more.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
