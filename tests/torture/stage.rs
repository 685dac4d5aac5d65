//! `Stage`: a server on a disk that fails, and the log that it is given at the beginning of each attempt.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqlSafeStr, SqliteConnection};
use tempfile::TempDir;

use super::author::Author;
use super::disk::FaultyDisk;
use crate::http::start::start;
use crate::support::{TestServer, Variables};

/// Flags with which nobody waits for a limit.
pub const FAST: [&str; 2] = ["--identity-publishes-per-sec", "100000"];
/// Nearly the longest text that may be published.
pub const LONG_BYTES: usize = 8_000;
/// The number of these after which SQLite has folded the -wal into the database: it does so at a thousand pages.
pub const FOLDED_AFTER: usize = 160;
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/storage/sqlite/migrations");
/// The version of the newest migration that the log of an older program has.
const OLD_VERSION: i64 = 2;

/// The log that is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// There is none.
    Nothing,
    /// Its node was stopped.
    Stopped,
    /// Its node was killed.
    Killed,
    /// An older program made it.
    Older,
}

/// A server, its disk, and the log that it finds.
pub struct Stage {
    /// The server, which has ended unless a test started it.
    pub server: TestServer,
    /// The disk of its data folder.
    pub disk: FaultyDisk,
    /// The author of the log; none where there is no log.
    pub author: Option<Author>,
    /// The same at the beginning of an attempt.
    author_of_log: Option<Author>,
    /// The same at the time of the backup.
    pub author_of_backup: Author,
    /// Holds the log that is found, and a backup of it from before.
    kept: TempDir,
}

impl Stage {
    /// A server that finds such a log.
    pub async fn with(found: Found) -> Stage {
        let mut server = TestServer::with(&FAST);
        let kept = TempDir::new().expect("there is room for a temporary folder");
        let mut author = Author::arrives(&server).await;
        assert!(author.publishes(5, "before the backup").await);
        let author_of_backup = author.clone();
        let backup = kept.path().join("backup.db");
        let made = run(&["backup", text(&backup)], server.data(), Variables::new()).await;
        assert!(made.status.success(), "{made:?}");
        assert!(author.publishes(10, "after it").await);
        if found == Found::Killed {
            server.kill();
        } else {
            server.terminate();
            server.ended().await;
        }
        if found == Found::Older {
            make_older(server.data()).await;
        }
        let log = kept.path().join("log");
        fs::create_dir(&log).expect("it is new");
        if found != Found::Nothing {
            copy_files(server.data(), &log);
        }
        let disk = FaultyDisk::with(server.data());
        let author_of_log = (found != Found::Nothing).then_some(author);
        Stage { server, disk, author: author_of_log.clone(), author_of_log, author_of_backup, kept }
    }

    /// The file of the backup.
    pub fn backup(&self) -> PathBuf {
        self.kept.path().join("backup.db")
    }

    /// Puts the log in place, on a disk that works.
    pub fn set(&mut self) {
        self.server.kill();
        self.disk.mend();
        self.author = self.author_of_log.clone();
        empty(self.server.data());
        copy_files(&self.kept.path().join("log"), self.server.data());
    }

    /// Runs a command of the program on the data folder; true if it succeeds.
    pub async fn runs(&self, words: &[&str], variables: Variables) -> bool {
        run(words, self.server.data(), variables).await.status.success()
    }

    /// Fails the test unless the server starts without a word of complaint, is ready, has the log of one of these
    /// authors, takes new events, stops in order and starts once more.
    pub async fn goes_on(&mut self, authors: &[&Author]) {
        let said = self.server.log().len();
        assert!(self.server.restarts_under(Variables::new()), "it does not start: {}", self.server.log());
        let mut author = match authors {
            [] => Author::arrives(&self.server).await,
            _ => whose_log(&self.server, authors).await,
        };
        assert!(author.asks_again().await && author.publishes(1, "afterwards").await);
        author.judges(&self.server).await.unwrap_or_else(|wrong| panic!("{wrong}"));
        let ready = author.person.get("/readyz").await;
        assert_eq!(ready.status, 200, "{}", ready.text());
        // A statement may be slow where the machine is busy.
        let complains = |line: &&str| {
            (line.contains(" WARN ") || line.contains(" ERROR ")) && !line.contains("slow statement")
        };
        assert_eq!(self.server.log()[said..].lines().find(complains), None);
        self.server.terminate();
        assert!(self.server.ended().await.success());
        assert!(self.server.restarts_under(Variables::new()), "no second start: {}", self.server.log());
        author.judges(&self.server).await.unwrap_or_else(|wrong| panic!("{wrong}"));
        self.server.kill();
    }
}

/// The first author to whom the log is right. Fails the test where there is none.
async fn whose_log(server: &TestServer, authors: &[&Author]) -> Author {
    let mut wrongs = Vec::new();
    for author in authors {
        match author.judges(server).await {
            Ok(()) => return (*author).clone(),
            Err(wrong) => wrongs.push(wrong),
        }
    }
    panic!("{}", wrongs.join("; or else "));
}

/// Runs a command of the program on a data folder.
pub async fn run(words: &[&str], data: &Path, variables: Variables) -> Output {
    start(|command| _ = command.args(words).arg("--data").arg(data).envs(variables)).await
}

/// A path that a test made.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a test names its files well")
}

/// Removes all files of a folder.
pub fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).expect("it is there") {
        fs::remove_file(entry.expect("it is ours").path()).expect("it is ours");
    }
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("it is there") {
        let entry = entry.expect("it is ours");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("there is room");
    }
}

/// Replaces a log by one of the same content that an older program could have made, which left nothing beside it.
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

/// The first ones of those that the program has.
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
