//! `SqliteLog`: the log in one SQLite file, for one node.
//!
//! WAL with `synchronous=FULL`: a commit returns after the sync to disk. One connection writes, so a topic's head and
//! its event move in one transaction, and there are no holes.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use realtime::{
    AppendError, Appended, Draft, EventLog, Heads, HeadsOf, LogError, Outcome, PageBudget, PageEnd, Range,
};
use shared::{DisplayName, Epoch, Event, EventPage, Identity, Key, Payload, Seq, Topic, UserId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::database::{Database, EPOCH_CHARS};
use super::summary::Summary;
use crate::random::random_text;
use crate::storage::epoch::NewEpoch;
use crate::storage::error::DbError;

/// The events of a span, from either end.
const FROM_OLDEST: &str = "SELECT seq, at, author, author_name, key, payload FROM events
    WHERE topic = ? AND seq BETWEEN ? AND ? ORDER BY seq";
const FROM_NEWEST: &str = "SELECT seq, at, author, author_name, key, payload FROM events
    WHERE topic = ? AND seq BETWEEN ? AND ? ORDER BY seq DESC";
/// Bytes that a disk must have room for before it counts as writable again: several events of the largest size.
const PROBE_BYTES: i64 = 64 * 1_024;

/// The log in a database.
pub struct SqliteLog {
    database: Database,
}

impl SqliteLog {
    /// Opens the log. Returns a summary of what it holds too, unless it was made just now.
    pub async fn open(
        database: Database,
        new_epoch: NewEpoch,
    ) -> Result<(SqliteLog, Option<Summary>), DbError> {
        let mut writer = database.writer.acquire().await?;
        let known = sqlx::query("SELECT epoch FROM log_epoch").fetch_optional(&mut *writer).await?;
        let epoch = random_text(EPOCH_CHARS);
        if known.is_none() {
            sqlx::query("INSERT INTO log_epoch (epoch) VALUES (?)").bind(epoch).execute(&mut *writer).await?;
        } else if new_epoch == NewEpoch::Begin {
            sqlx::query("UPDATE log_epoch SET epoch = ?").bind(epoch).execute(&mut *writer).await?;
        }
        let summary = Summary::of(&mut writer).await?;
        drop(writer);
        Ok((SqliteLog { database }, known.map(|_| summary)))
    }

    async fn append_all(&self, drafts: Vec<Draft>) -> Result<Vec<Result<Appended, AppendError>>, DbError> {
        self.database.check_in_place()?;
        let mut transaction = self.database.writer.begin_with("BEGIN IMMEDIATE").await?;
        let epoch = epoch(&mut transaction).await?;
        let mut answers = Vec::with_capacity(drafts.len());
        for draft in drafts {
            answers.push(append_one(&mut transaction, draft, &epoch).await?);
        }
        transaction.commit().await?;
        Ok(answers)
    }

    async fn read_page(&self, topic: &Topic, range: Range) -> Result<EventPage, DbError> {
        let mut snapshot = self.database.readers.begin().await?;
        let epoch = epoch(&mut snapshot).await?;
        let row = sqlx::query("SELECT id, head FROM topics WHERE name = ?")
            .bind(topic.as_str())
            .fetch_optional(&mut *snapshot)
            .await?;
        let Some(row) = row else {
            return Ok(EventPage { topic: topic.clone(), epoch, head: Seq::ZERO, events: Vec::new() });
        };
        let id: i64 = row.try_get(0)?;
        let head = seq(&row, 1)?;
        let span = range.span(&epoch, head);
        let mut events = Vec::new();
        if !span.is_empty() {
            let rows = sqlx::query(if span.keep == PageEnd::Oldest { FROM_OLDEST } else { FROM_NEWEST });
            let rows = rows.bind(id).bind(span.first.0 as i64).bind(span.last.0 as i64);
            let mut rows = rows.fetch(&mut *snapshot);
            let mut budget = PageBudget::default();
            while let Some(row) = rows.try_next().await? {
                let event = event(topic, &row)?;
                if !budget.takes(&event) {
                    break;
                }
                events.push(event);
            }
        }
        if span.keep == PageEnd::Newest {
            events.reverse();
        }
        Ok(EventPage { topic: topic.clone(), epoch, head, events })
    }

    async fn read_heads(&self, of: HeadsOf<'_>) -> Result<Heads, DbError> {
        let mut snapshot = self.database.readers.begin().await?;
        let epoch = epoch(&mut snapshot).await?;
        let rows = match of {
            HeadsOf::Topics(topics) => {
                let names = serde_json::to_string(topics).map_err(|error| DbError(error.to_string()))?;
                sqlx::query(
                    "SELECT name, head FROM topics WHERE name IN (SELECT value FROM json_each(?))
                     ORDER BY newest DESC",
                )
                .bind(names)
            }
            // ';' is the character after ':', so this is a range of names.
            HeadsOf::Newest(namespace, most) => sqlx::query(
                "SELECT name, head FROM topics WHERE name > ? AND name < ? ORDER BY newest DESC LIMIT ?",
            )
            .bind(format!("{namespace}:"))
            .bind(format!("{namespace};"))
            .bind(most),
        };
        let rows = rows.fetch_all(&mut *snapshot).await?;
        let mut latest_first = Vec::with_capacity(rows.len());
        let mut heads = std::collections::BTreeMap::new();
        for row in rows {
            let topic: Topic = parsed(row.try_get::<String, _>(0)?)?;
            heads.insert(topic.clone(), seq(&row, 1)?);
            latest_first.push(topic);
        }
        Ok(Heads { epoch, heads, latest_first })
    }

    async fn write_probe(&self) -> Result<(), DbError> {
        self.database.check_in_place()?;
        // Random, so that no file system compresses it.
        sqlx::query("INSERT OR REPLACE INTO write_probe (id, filler) VALUES (1, randomblob(?))")
            .bind(PROBE_BYTES)
            .execute(&self.database.writer)
            .await?;
        Ok(())
    }

    async fn read_probe(&self) -> Result<(), DbError> {
        self.database.check_in_place()?;
        self.read_heads(HeadsOf::Topics(&[])).await.map(drop)
    }
}

#[async_trait]
impl EventLog for SqliteLog {
    async fn append(&self, drafts: Vec<Draft>) -> Vec<Result<Appended, AppendError>> {
        let count = drafts.len();
        match self.append_all(drafts).await {
            Ok(answers) => answers,
            Err(DbError(cause)) => vec![Err(AppendError::Unavailable(cause)); count],
        }
    }

    async fn read(&self, topic: &Topic, range: Range) -> Result<EventPage, LogError> {
        Ok(self.read_page(topic, range).await?)
    }

    async fn heads(&self, of: HeadsOf<'_>) -> Result<Heads, LogError> {
        Ok(self.read_heads(of).await?)
    }

    async fn try_write(&self) -> Result<(), LogError> {
        Ok(self.write_probe().await?)
    }

    async fn try_read(&self) -> Result<(), LogError> {
        Ok(self.read_probe().await?)
    }
}

/// Appends a draft. The outer error is the database's, and fails the whole batch; the inner one is the draft's.
async fn append_one(
    transaction: &mut SqliteConnection,
    draft: Draft,
    epoch: &Epoch,
) -> Result<Result<Appended, AppendError>, DbError> {
    if let Some(event) = find_by_key(transaction, &draft).await? {
        return Ok(if event.payload == draft.payload {
            Ok(Appended { event, epoch: epoch.clone(), outcome: Outcome::Replayed })
        } else {
            Err(AppendError::KeyReused)
        });
    }
    let topic = sqlx::query(
        "INSERT INTO topics (name, head, newest) VALUES (?, 1, (SELECT coalesce(max(newest), 0) + 1 FROM topics))
         ON CONFLICT (name) DO UPDATE SET head = head + 1, newest = excluded.newest RETURNING id, head",
    )
    .bind(draft.topic.as_str())
    .fetch_one(&mut *transaction)
    .await?;
    sqlx::query(
        "INSERT INTO events (topic, seq, at, author, author_name, key, payload) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(topic.try_get::<i64, _>(0)?)
    .bind(topic.try_get::<i64, _>(1)?)
    .bind(draft.at)
    .bind(draft.author.id.0.as_ref())
    .bind(draft.author.name.as_str())
    .bind(draft.key.as_str())
    .bind(draft.payload.as_json())
    .execute(&mut *transaction)
    .await?;
    let event = draft.into_event(seq(&topic, 1)?);
    Ok(Ok(Appended { event, epoch: epoch.clone(), outcome: Outcome::New }))
}

async fn find_by_key(transaction: &mut SqliteConnection, draft: &Draft) -> Result<Option<Event>, DbError> {
    let row = sqlx::query(
        "SELECT seq, at, author, author_name, key, payload FROM events
         WHERE topic = (SELECT id FROM topics WHERE name = ?) AND author = ? AND key = ?",
    )
    .bind(draft.topic.as_str())
    .bind(draft.author.id.0.as_ref())
    .bind(draft.key.as_str())
    .fetch_optional(&mut *transaction)
    .await?;
    row.map(|row| event(&draft.topic, &row)).transpose()
}

async fn epoch(connection: &mut SqliteConnection) -> Result<Epoch, DbError> {
    parsed(sqlx::query_scalar::<_, String>("SELECT epoch FROM log_epoch").fetch_one(connection).await?)
}

/// Reads the columns `seq, at, author, author_name, key, payload`.
fn event(topic: &Topic, row: &SqliteRow) -> Result<Event, DbError> {
    let name: DisplayName = parsed(row.try_get::<String, _>(3)?)?;
    let key: Key = parsed(row.try_get::<String, _>(4)?)?;
    Ok(Event {
        topic: topic.clone(),
        seq: seq(row, 0)?,
        at: row.try_get(1)?,
        author: Identity { id: UserId(row.try_get::<String, _>(2)?.into()), name },
        key,
        payload: Payload::from_json(row.try_get(5)?).map_err(|error| DbError(error.to_string()))?,
    })
}

fn seq(row: &SqliteRow, column: usize) -> Result<Seq, DbError> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map(Seq).map_err(|_| DbError(format!("seq {number} in the database is negative")))
}

/// Parses a stored value. It was checked before it was written, so one that breaks its grammar means a damaged file.
fn parsed<T: TryFrom<String>>(text: String) -> Result<T, DbError> {
    T::try_from(text.clone()).map_err(|_| DbError(format!("{text:?} in the database breaks its grammar")))
}
