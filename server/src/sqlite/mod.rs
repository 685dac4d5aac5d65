//! The SQLite file: opened with the settings that make a commit durable, and brought to the present schema.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqlSafeStr, SqliteConnection, SqlitePool};

/// Names a file of `migrations/sqlite`: its version, its description, its text.
macro_rules! migration {
    ($version:literal, $description:literal) => {
        (
            $version,
            $description,
            include_str!(concat!("../migrations/sqlite/", $version, "_", $description, ".sql")),
        )
    };
}

/// The schema's history, step by step; the library notes those it took in a table of its own. Listed here, since
/// the library's macro, which lists a folder, would compile SQLite a second time, for the compiler.
const STEPS: [(&str, &str, &str); 4] = [
    migration!("0001", "log"),
    migration!("0002", "people"),
    migration!("0003", "room"),
    migration!("0004", "newest"),
];
static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let step = |(version, description, sql): (&str, &'static str, &'static str)| {
        let version = version.parse().expect("a version is a number");
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(STEPS.map(step).into())
});
const MIGRATIONS_TABLE: &str = "_sqlx_migrations";
/// How many pulls read at the same time.
const READERS_MAX: u32 = 4;
/// A whole page of rows is read before anybody is woken: otherwise two threads would wake each other for every few.
const PAGE_ROWS: usize = 512;
/// How long a statement waits for another connection's write.
const BUSY: Duration = Duration::from_secs(5);

/// One connection that writes, and a few that read snapshots beside it.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
}

impl Database {
    /// Opens or makes the file behind `sqlite:FILE` and runs the migrations that it lacks.
    pub(crate) async fn open(url: &str) -> Result<Database, sqlx::Error> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL would lose acknowledged events in a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .before_acquire(|connection, _| {
                // On a full disk SQLite rolls back by itself; the library still counts a transaction, and would
                // refuse every other one on that connection.
                let usable = !connection.is_in_transaction();
                Box::pin(async move { Ok(usable) })
            })
            .connect_with(options.clone())
            .await?;
        MIGRATIONS.run(&writer).await?;
        let options = options.read_only(true).create_if_missing(false).row_buffer_size(PAGE_ROWS);
        let readers = SqlitePoolOptions::new().max_connections(READERS_MAX).connect_with(options).await?;
        Ok(Database { writer, readers })
    }

    /// Closes the connections. The last one to go folds the write-ahead log into the file.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The file behind `sqlite:FILE`.
pub(crate) fn file(url: &str) -> Result<PathBuf, sqlx::Error> {
    Ok(SqliteConnectOptions::from_str(url)?.get_filename().to_owned())
}

/// Fails where [`Database::open`] would: when a file that is there was changed by another program than this one, such
/// as a newer one.
pub(crate) async fn check_schema(url: &str) -> Result<(), sqlx::Error> {
    let mut connection = read(url).await?;
    let noted = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = ?").bind(MIGRATIONS_TABLE);
    if noted.fetch_optional(&mut connection).await?.is_none() {
        return connection.close().await;
    }
    if let Some(version) = connection.dirty_version(MIGRATIONS_TABLE).await? {
        return Err(MigrateError::Dirty(version).into());
    }
    for applied in connection.list_applied_migrations(MIGRATIONS_TABLE).await? {
        let known = MIGRATIONS.iter().find(|known| known.version == applied.version);
        let known = known.ok_or(MigrateError::VersionMissing(applied.version))?;
        if known.checksum != applied.checksum {
            return Err(MigrateError::VersionMismatch(applied.version).into());
        }
    }
    connection.close().await
}

/// One connection to a file that is there, and stays as it is. Fails when it holds no database.
pub(crate) async fn read(url: &str) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::from_str(url)?.read_only(true).busy_timeout(BUSY);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::query("PRAGMA schema_version").execute(&mut connection).await?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_of_the_folder_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        assert_eq!(files, STEPS.map(|(version, description, _)| format!("{version}_{description}.sql")));
        let versions: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        assert_eq!(versions, [1, 2, 3, 4]);
    }
}
