//! `Location`: the place of a database, as its URL names it.

use std::path::{Path, PathBuf, absolute};

use crate::storage::error::DbError;

/// The place of a database: `sqlite:FILE`, with the file as it is written, whatever characters its path has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of this machine.
    Sqlite(PathBuf),
}

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
