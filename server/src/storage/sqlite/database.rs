//! `Database`: the SQLite file, opened with the settings that make a commit durable, and brought to the present schema.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqlSafeStr, SqliteConnection, SqlitePool};

use super::file_guard::{self, FileIdentity, FoundFile};
use crate::storage::epoch::NewEpoch;
use crate::storage::error::DbError;

/// The characters of a new epoch.
pub const EPOCH_CHARS: usize = 16;

/// One file of `migrations/`: its version, its description, its text.
macro_rules! migration {
    ($version:literal, $description:literal) => {
        ($version, $description, include_str!(concat!("migrations/", $version, "_", $description, ".sql")))
    };
}

/// The schema's history; the library records the applied ones in a table of its own. They are listed here because the
/// library's macro, which lists a folder, would compile SQLite a second time, for the compiler.
const STEPS: [(&str, &str, &str); 6] = [
    migration!("0001", "log"),
    migration!("0002", "people"),
    migration!("0003", "room"),
    migration!("0004", "newest"),
    migration!("0005", "order"),
    migration!("0006", "names"),
];
static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let step = |(version, description, sql): (&str, &'static str, &'static str)| {
        let version = version.parse().expect("a version is a number");
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(STEPS.map(step).into())
});
const MIGRATIONS_TABLE: &str = "_sqlx_migrations";
/// The number of connections that read at the same time.
const READERS_MAX: u32 = 4;
/// Rows buffered before the reading task is woken: a whole page, or the two threads would wake each other every few rows.
const PAGE_ROWS: usize = 512;
/// The time that a statement waits for another connection's write.
const BUSY: Duration = Duration::from_secs(5);

/// Bytes that a `-wal` keeps on disk once it is folded in, however large a slow reader made it.
const WAL_BYTES: &str = "67108864";

/// One connection that writes, and a few that read snapshots beside it.
#[derive(Clone)]
pub struct Database {
    /// The one connection that writes.
    pub writer: SqlitePool,
    /// The connections that read.
    pub readers: SqlitePool,
    identity: FileIdentity,
}

impl Database {
    /// Opens or makes the file, and runs the migrations that it lacks.
    pub async fn open(file: &Path, new_epoch: NewEpoch) -> Result<Database, DbError> {
        let file = &file_guard::resolve(file)?;
        let found = FoundFile::check(file, new_epoch)?;
        // SQLite's own error would not name the cause.
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(file);
        drop(opened.map_err(|error| DbError::of(file, &error))?);
        let named = |error: sqlx::Error| DbError(format!("{}: {error}", file.display()));
        let id = found.prepare();
        let options = options(file)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL would lose acknowledged events in a power cut.
            .synchronous(SqliteSynchronous::Full)
            // Without them macOS does not wait for the drive. Other systems ignore them.
            .pragma("fullfsync", "1")
            .pragma("checkpoint_fullfsync", "1")
            .pragma("journal_size_limit", WAL_BYTES)
            .foreign_keys(true);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            // It stays open: the last connection to close would remove the -wal of a running node.
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .before_acquire(|connection, _| {
                // On a full disk SQLite rolls back by itself; the library still counts a transaction, and would
                // refuse every other one on that connection.
                let usable = !connection.is_in_transaction();
                Box::pin(async move { Ok(usable) })
            })
            .connect_with(options.clone())
            .await
            .map_err(named)?;
        let checked = check_migrations(&mut *writer.acquire().await.map_err(named)?).await;
        checked.map_err(|error| DbError(format!("{}: {error}", file.display())))?;
        MIGRATIONS.run(&writer).await.map_err(|error| DbError(format!("{}: {error}", file.display())))?;
        if let Some(id) = id {
            found.mark_open(&mut *writer.acquire().await.map_err(named)?, id).await;
        }
        let options = options.read_only(true).row_buffer_size(PAGE_ROWS);
        let readers = SqlitePoolOptions::new().max_connections(READERS_MAX).connect_with(options).await;
        Ok(Database { writer, readers: readers.map_err(named)?, identity: FileIdentity::of(file) })
    }

    /// Fails once the file under this name is not the one that was opened.
    pub fn check_in_place(&self) -> Result<(), DbError> {
        self.identity.check().map_err(DbError)
    }

    /// Closes the connections. The last one to go folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        if let Ok(mut writer) = self.writer.acquire().await
            && let Err(error) = file_guard::mark_closed(&mut writer).await
        {
            tracing::warn!(%error, "the database stays marked as open; its -wal belongs to it");
        }
        self.writer.close().await;
    }
}

/// The options of every connection. They take the path itself, not a URL with the path in it.
pub fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file).busy_timeout(BUSY)
}

/// Fails if [`Database::open`] would: the file lacks its newest events, or belongs to another program, such as a newer
/// version of this one. Changes nothing.
pub async fn check_schema(file: &Path, new_epoch: NewEpoch) -> Result<(), DbError> {
    FoundFile::check(&file_guard::resolve(file)?, new_epoch)?;
    let mut connection = open_read_only(file).await?;
    let checked = check_migrations(&mut connection).await;
    connection.close().await.ok();
    checked.map_err(|error| DbError(format!("{}: {error}", file.display())))
}

async fn check_migrations(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    let noted = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = ?").bind(MIGRATIONS_TABLE);
    if noted.fetch_optional(&mut *connection).await?.is_none() {
        let tables = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sqlite_schema");
        return match tables.fetch_one(&mut *connection).await? {
            0 => Ok(()),
            _ => Err(MigrateError::Source("it is a database of another program".into())),
        };
    }
    if let Some(version) = connection.dirty_version(MIGRATIONS_TABLE).await? {
        return Err(MigrateError::Dirty(version));
    }
    for applied in connection.list_applied_migrations(MIGRATIONS_TABLE).await? {
        let known = MIGRATIONS.iter().find(|known| known.version == applied.version);
        let known = known.ok_or(MigrateError::VersionMissing(applied.version))?;
        if known.checksum != applied.checksum {
            return Err(MigrateError::VersionMismatch(applied.version));
        }
    }
    Ok(())
}

/// Opens an existing file for reading. Fails if it holds no database.
pub async fn open_read_only(file: &Path) -> Result<SqliteConnection, DbError> {
    let named = |error: sqlx::Error| DbError(format!("{}: {error}", file.display()));
    let mut connection =
        SqliteConnection::connect_with(&options(file).read_only(true)).await.map_err(named)?;
    sqlx::query("PRAGMA schema_version").execute(&mut connection).await.map_err(named)?;
    Ok(connection)
}

/// The table that holds the epoch of the log; in a backup that an older version made it has another name.
pub async fn epoch_table(connection: &mut SqliteConnection) -> Result<&'static str, DbError> {
    let renamed = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = 'log_epoch'");
    Ok(if renamed.fetch_optional(connection).await?.is_some() { "log_epoch" } else { "life" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_of_the_folder_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/storage/sqlite/migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        assert_eq!(files, STEPS.map(|(version, description, _)| format!("{version}_{description}.sql")));
        let versions: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        assert_eq!(versions, [1, 2, 3, 4, 5, 6]);
    }
}
