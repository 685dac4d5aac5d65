//! `Store`: the database behind a URL, opened once for all that keep something in it.
//!
//! The log and the people share it: two connections that write would only wait for each other.

use std::fs::File;
use std::path::{Path, PathBuf, absolute};

use crate::sqlite::{self, Database, Unusable};

pub use crate::sqlite::Lost;
pub use crate::sqlite::guard::InPlace;
pub(crate) use crate::sqlite::told;

/// Where a database is: `sqlite:FILE`, with the file as it is written, whatever characters its path has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of this machine.
    Sqlite(PathBuf),
}

/// See the module.
pub struct Store(pub(crate) Kind);

/// Which database it is.
pub(crate) enum Kind {
    Sqlite(Database),
}

/// The database cannot be opened.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub(crate) String);

impl Location {
    /// Reads a URL. The refusal of one that names no database tells only its scheme: what follows may hold a password.
    pub fn parse(url: &str) -> Result<Location, StoreError> {
        let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
        match (scheme, rest.strip_prefix("//").unwrap_or(rest)) {
            ("sqlite", "" | ":memory:") => Err(StoreError(
                "a database in memory keeps nothing: name a file, as in sqlite:data/duplex.db".into(),
            )),
            ("sqlite", file) => Location::of_file(Path::new(file)),
            _ => {
                let scheme = if rest.is_empty() { "" } else { scheme };
                Err(StoreError(format!("unknown scheme {scheme:?}: sqlite:FILE is known")))
            }
        }
    }

    /// The SQLite database in that file. Its whole path is taken down: SQLite reads some relative names as URLs.
    pub fn of_file(file: &Path) -> Result<Location, StoreError> {
        absolute(file).map(Location::Sqlite).map_err(|error| StoreError(error.to_string()))
    }

    /// The file that holds it.
    pub fn file(&self) -> &Path {
        let Location::Sqlite(file) = self;
        file
    }

    /// Keeps every other process from opening it for as long as the file is held, and in its place.
    pub fn lock(&self) -> Result<(File, InPlace), StoreError> {
        let Location::Sqlite(file) = self;
        Ok(sqlite::guard::lock(file)?)
    }
}

impl Store {
    /// Opens the database, and makes it when there is none.
    pub async fn open(location: &Location, lost: Lost) -> Result<Store, StoreError> {
        let Location::Sqlite(file) = location;
        Ok(Store(Kind::Sqlite(Database::open(file, lost).await?)))
    }
}

impl From<Unusable> for StoreError {
    fn from(Unusable(reason): Unusable) -> StoreError {
        StoreError(reason)
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
    fn what_keeps_nothing_or_names_nothing_is_refused() {
        for url in ["sqlite:", "sqlite://", "sqlite::memory:"] {
            assert!(Location::parse(url).unwrap_err().0.contains("name a file"), "{url}");
        }
        for url in ["", "nonsense", "mysql:x", "postgres://ada:secret@db/x", "data/duplex.db"] {
            let told = Location::parse(url).unwrap_err().0;
            assert!(told.contains("sqlite:FILE") && !told.contains("secret"), "{told}");
        }
    }
}
