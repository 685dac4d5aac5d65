//! The SQLite file: the database, the log and the accounts in it, and its backups.

mod database;
pub use database::{Database, check_schema};
mod file_guard;
pub use file_guard::{FileIdentity, lock};
mod log;
pub use log::SqliteLog;
mod accounts;
pub use accounts::SqliteAccounts;
mod summary;
pub use summary::Summary;
mod backup;
pub use backup::{backup, verify};
mod restore;
pub use restore::{Restored, restore};
