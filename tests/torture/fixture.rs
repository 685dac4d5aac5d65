//! `DiskFixture`: a server on a faulty disk, and the log with which each attempt begins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqlSafeStr, SqliteConnection};
use tempfile::TempDir;

use super::author::Author;
use super::disk::FaultyDisk;
use crate::support::command::run_command;
use crate::support::{EnvVars, NO_PUBLISH_LIMIT, TestServer};

/// Almost the length of the longest text that may be published.
pub const LONG_BYTES: usize = 8_000;
/// After this many texts of [`LONG_BYTES`], SQLite has checkpointed the -wal into the database: it does so at a
/// thousand pages.
pub const CHECKPOINTED_AFTER: usize = 160;
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/storage/sqlite/migrations");
/// The version of the newest migration that the log of an older program has.
const OLD_VERSION: i64 = 2;

/// The log with which an attempt begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialLog {
    /// No log.
    Nothing,
    /// The log of a node that was stopped.
    Stopped,
    /// The log of a node that was killed.
    Killed,
    /// The log of an older version of the program.
    Older,
}

/// A server, its disk, and its initial log.
pub struct DiskFixture {
    /// The server, which has ended unless a test started it.
    pub server: TestServer,
    /// The disk of its data folder.
    pub disk: FaultyDisk,
    /// The author of the log; `None` if there is no log.
    pub author: Option<Author>,
    /// The author at the beginning of an attempt.
    initial_author: Option<Author>,
    /// The author at the time of the backup.
    pub author_of_backup: Author,
    /// Holds the initial log, and an earlier backup of it.
    folder: TempDir,
}

impl DiskFixture {
    /// Creates a server with this initial log.
    pub async fn with(initial: InitialLog) -> DiskFixture {
        let mut server = TestServer::with(&NO_PUBLISH_LIMIT);
        let folder = TempDir::new().expect("a temporary folder can be created");
        let mut author = Author::new(&server).await;
        assert!(author.publish(5, "before the backup").await);
        let author_of_backup = author.clone();
        let backup = folder.path().join("backup.db");
        let output = run(&["backup", text(&backup)], server.data(), EnvVars::new()).await;
        assert!(output.status.success(), "{output:?}");
        assert!(author.publish(10, "after the backup").await);
        if initial == InitialLog::Killed {
            server.kill();
        } else {
            server.terminate();
            server.ended().await;
        }
        if initial == InitialLog::Older {
            make_older(server.data()).await;
        }
        let log = folder.path().join("log");
        fs::create_dir(&log).expect("the folder is new");
        if initial != InitialLog::Nothing {
            copy_files(server.data(), &log);
        }
        let disk = FaultyDisk::with(server.data());
        let initial_author = (initial != InitialLog::Nothing).then_some(author);
        DiskFixture { server, disk, author: initial_author.clone(), initial_author, author_of_backup, folder }
    }

    /// Returns the file of the backup.
    pub fn backup(&self) -> PathBuf {
        self.folder.path().join("backup.db")
    }

    /// Resets the data folder to the initial log, and the disk to one that works.
    pub fn reset(&mut self) {
        self.server.kill();
        self.disk.mend();
        self.author = self.initial_author.clone();
        empty(self.server.data());
        copy_files(&self.folder.path().join("log"), self.server.data());
    }

    /// Runs a command of the program on the data folder. Returns true if it succeeds.
    pub async fn run(&self, words: &[&str], variables: EnvVars) -> bool {
        run(words, self.server.data(), variables).await.status.success()
    }

    /// Asserts that the server starts without warnings, is ready, has the log of one of these authors, accepts new
    /// events, stops gracefully and starts once more.
    pub async fn assert_recovers(&mut self, authors: &[&Author]) {
        let before = self.server.stderr().len();
        assert!(
            self.server.try_restart_with_env(EnvVars::new()),
            "the server does not start: {}",
            self.server.stderr()
        );
        let mut author = match authors {
            [] => Author::new(&self.server).await,
            _ => matching_author(&self.server, authors).await,
        };
        assert!(author.retry_unanswered().await && author.publish(1, "afterwards").await);
        author.check_log(&self.server).await.unwrap_or_else(|problem| panic!("{problem}"));
        let ready = author.person.get("/readyz").await;
        assert_eq!(ready.status, 200, "{}", ready.text());
        // On a busy machine, a statement may be slow.
        let is_warning = |line: &&str| {
            (line.contains(" WARN ") || line.contains(" ERROR ")) && !line.contains("slow statement")
        };
        assert_eq!(self.server.stderr()[before..].lines().find(is_warning), None);
        self.server.terminate();
        assert!(self.server.ended().await.success());
        assert!(
            self.server.try_restart_with_env(EnvVars::new()),
            "the server does not start again: {}",
            self.server.stderr()
        );
        author.check_log(&self.server).await.unwrap_or_else(|problem| panic!("{problem}"));
        self.server.kill();
    }
}

/// Returns the first author whose events the log has. Fails the test if there is none.
async fn matching_author(server: &TestServer, authors: &[&Author]) -> Author {
    let mut problems = Vec::new();
    for author in authors {
        match author.check_log(server).await {
            Ok(()) => return (*author).clone(),
            Err(problem) => problems.push(problem),
        }
    }
    panic!("{}", problems.join("; and for the other author: "));
}

/// Runs a command of the program on a data folder.
pub async fn run(words: &[&str], data: &Path, variables: EnvVars) -> Output {
    run_command(|command| _ = command.args(words).arg("--data").arg(data).envs(variables)).await
}

/// Returns a path of a test as text.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

/// Removes all files of a folder.
pub fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        fs::remove_file(entry.expect("the folder can be read").path()).expect("the file can be removed");
    }
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("the file can be copied");
    }
}

/// Replaces a database with one of the same content in the format of an older program, without a -wal.
async fn make_older(data: &Path) {
    let older = data.join("older.db");
    let options = SqliteConnectOptions::new().filename(&older).create_if_missing(true);
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    Migrator::with_migrations(old_migrations()).run(&mut database).await.unwrap();
    sqlx::query("ATTACH ? AS newer")
        .bind(text(&data.join("duplex.db")))
        .execute(&mut database)
        .await
        .unwrap();
    for copy in [
        "INSERT INTO life (epoch) SELECT epoch FROM newer.log_epoch",
        "INSERT INTO topics (id, name, head) SELECT id, name, head FROM newer.topics",
        "INSERT INTO people (id, name) SELECT id, name FROM newer.accounts",
        "INSERT INTO sign_ins (token_sha256, person, renewed_at)
         SELECT token_sha256, account, renewed_at FROM newer.sign_ins",
        "INSERT INTO events (topic, seq, at, author, author_name, key, payload)
         SELECT topic, seq, at, author, author_name, key, payload FROM newer.events",
        "DETACH newer",
    ] {
        sqlx::query(copy).execute(&mut database).await.unwrap();
    }
    database.close().await.unwrap();
    for entry in fs::read_dir(data).unwrap().map(Result::unwrap).filter(|entry| entry.path() != older) {
        fs::remove_file(entry.path()).unwrap();
    }
    fs::rename(&older, data.join("duplex.db")).unwrap();
}

/// Returns the migrations that an older program had.
fn old_migrations() -> Vec<Migration> {
    let mut found = Vec::new();
    for entry in fs::read_dir(MIGRATIONS).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let (version, description) = name.trim_end_matches(".sql").split_once('_').unwrap();
        let version: i64 = version.parse().unwrap();
        if version <= OLD_VERSION {
            let sql = sqlx::AssertSqlSafe(fs::read_to_string(entry.path()).unwrap()).into_sql_str();
            let description = description.to_owned().into();
            found.push(Migration::new(version, description, MigrationType::Simple, sql, false));
        }
    }
    found.sort_by_key(|migration| migration.version);
    found
}
