//! `Store`: the database behind a URL, opened once for all that keep something in it.
//!
//! The log and the people share it: two connections that write would only wait for each other.

use crate::sqlite::Database;

/// See the module.
pub struct Store(pub(crate) Kind);

/// Which database it is.
pub(crate) enum Kind {
    Sqlite(Database),
}

/// The database cannot be opened.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(String);

impl Store {
    /// Opens what `url` names, and makes it when there is none: `sqlite:FILE`.
    pub async fn open(url: &str) -> Result<Store, StoreError> {
        match url.split_once(':') {
            Some(("sqlite", _)) => {
                let opened = Database::open(url).await;
                Ok(Store(Kind::Sqlite(opened.map_err(|error| StoreError(error.to_string()))?)))
            }
            _ => Err(unknown(url)),
        }
    }
}

/// The refusal of a URL that names no database. It tells only the scheme: what follows may hold a password.
pub(crate) fn unknown(url: &str) -> StoreError {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    StoreError(format!("unknown scheme {scheme:?}: sqlite:FILE is known"))
}
