//! `DbError`: the one error of storage, and the errors of the engine and of the accounts that it becomes.

use std::io;
use std::path::Path;

use realtime::LogError;

use crate::accounts::AccountsError;

/// The database cannot be used. One line, which names the file and the cause.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct DbError(pub String);

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

impl DbError {
    /// The error of a file that the system refused, with [`describe`]'s advice.
    pub fn of(file: &Path, error: &io::Error) -> DbError {
        DbError(format!("{}: {}", file.display(), describe(file, error)))
    }
}

/// Describes why a file or folder cannot be used: the system's error, the user, and the change to make.
pub fn describe(file: &Path, error: &io::Error) -> String {
    let is_link = file.is_symlink() && !file.exists();
    let remedy = match error.kind() {
        _ if is_link => "it is a link that leads nowhere; make what it names, or remove it",
        io::ErrorKind::IsADirectory => "it is a folder; name a file",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a part of its path is a file; name another one"
        }
        io::ErrorKind::PermissionDenied => "give it to that user, or name another one",
        io::ErrorKind::ReadOnlyFilesystem => "mount it writable, or name another one",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room there",
        _ => "name one that can be made, and written in",
    };
    format!("{error}, for {}; {remedy}", user())
}

#[cfg(unix)]
fn user() -> String {
    format!("user {}", rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn user() -> String {
    "this user".into()
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> DbError {
        DbError(error.to_string())
    }
}

impl From<io::Error> for DbError {
    fn from(error: io::Error) -> DbError {
        DbError(error.to_string())
    }
}
