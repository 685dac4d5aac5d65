//! The log in one SQLite file, for one node.
//!
//! WAL with `synchronous=FULL`: a commit returns after the sync to disk. One connection writes, so a topic's head
//! and its event move in one transaction and there are no holes.

use std::path::Path;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use shared::{DisplayName, Epoch, Event, EventPage, Identity, Key, Payload, Seq, Topic, UserId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{
    AppendError, Appended, Draft, EPOCH_CHARS, End, EventLog, Heads, LogError, NewEpoch, Outcome, Range,
    Room, Summary, Which,
};
use crate::random::random_text;
use crate::sqlite::{self, Database, Unusable};

/// The events of a span, from either end.
const FROM_OLDEST: &str = "SELECT seq, at, author, author_name, key, payload FROM events
    WHERE topic = ? AND seq BETWEEN ? AND ? ORDER BY seq";
const FROM_NEWEST: &str = "SELECT seq, at, author, author_name, key, payload FROM events
    WHERE topic = ? AND seq BETWEEN ? AND ? ORDER BY seq DESC";
/// What a disk must have room for before it counts as writable again: several events of the largest size.
const ROOM_BYTES: i64 = 64 * 1_024;

/// See the module.
pub(super) struct SqliteLog {
    database: Database,
}

impl SqliteLog {
    pub(super) async fn open(
        database: Database,
        new_epoch: NewEpoch,
    ) -> Result<(SqliteLog, Option<Summary>), LogError> {
        let mut writer = database.writer.acquire().await?;
        let known = sqlx::query("SELECT epoch FROM life").fetch_optional(&mut *writer).await?;
        let epoch = random_text(EPOCH_CHARS);
        if known.is_none() {
            sqlx::query("INSERT INTO life (epoch) VALUES (?)").bind(epoch).execute(&mut *writer).await?;
        } else if new_epoch == NewEpoch::Begin {
            sqlx::query("UPDATE life SET epoch = ?").bind(epoch).execute(&mut *writer).await?;
        }
        let holds = Summary::of(&mut writer).await?;
        drop(writer);
        Ok((SqliteLog { database }, known.map(|_| holds)))
    }

    async fn append_all(&self, drafts: Vec<Draft>) -> Result<Vec<Result<Appended, AppendError>>, LogError> {
        self.database.is_in_place()?;
        let mut transaction = self.database.writer.begin_with("BEGIN IMMEDIATE").await?;
        let epoch = epoch(&mut transaction).await?;
        let mut answers = Vec::with_capacity(drafts.len());
        for draft in drafts {
            answers.push(append_one(&mut transaction, draft, &epoch).await?);
        }
        transaction.commit().await?;
        Ok(answers)
    }
}

#[async_trait]
impl EventLog for SqliteLog {
    async fn append(&self, drafts: Vec<Draft>) -> Vec<Result<Appended, AppendError>> {
        let count = drafts.len();
        match self.append_all(drafts).await {
            Ok(answers) => answers,
            Err(error) => vec![Err(AppendError::Unavailable(error.0)); count],
        }
    }

    async fn read(&self, topic: &Topic, range: Range) -> Result<EventPage, LogError> {
        let mut snapshot = self.database.readers.begin().await?;
        let epoch = epoch(&mut snapshot).await?;
        let row = sqlx::query("SELECT id, head FROM topics WHERE name = ?")
            .bind(topic.as_str())
            .fetch_optional(&mut *snapshot)
            .await?;
        let Some(row) = row else {
            return Ok(EventPage { topic: topic.clone(), epoch, head: Seq::ZERO, events: Vec::new() });
        };
        let (id, head): (i64, Seq) = (row.try_get(0)?, seq(&row, 1)?);
        let span = range.span(&epoch, head);
        let mut events = Vec::new();
        if !span.is_empty() {
            let (first, last) = (span.first.0 as i64, span.last.0 as i64);
            let rows = sqlx::query(if span.from == End::Oldest { FROM_OLDEST } else { FROM_NEWEST });
            let mut rows = rows.bind(id).bind(first).bind(last).fetch(&mut *snapshot);
            let mut room = Room::of_page();
            while let Some(row) = rows.try_next().await? {
                let event = event(topic, &row)?;
                if !room.takes(&event) {
                    break;
                }
                events.push(event);
            }
        }
        if span.from == End::Newest {
            events.reverse();
        }
        Ok(EventPage { topic: topic.clone(), epoch, head, events })
    }

    async fn heads(&self, which: Which<'_>) -> Result<Heads, LogError> {
        let mut snapshot = self.database.readers.begin().await?;
        let epoch = epoch(&mut snapshot).await?;
        let rows = match which {
            Which::Topics(topics) => {
                let names = serde_json::to_string(topics).map_err(|error| LogError(error.to_string()))?;
                sqlx::query(
                    "SELECT name, head FROM topics WHERE name IN (SELECT value FROM json_each(?)) ORDER BY newest DESC",
                )
                    .bind(names)
            }
            // ';' is the character after ':', so this is a range of names.
            Which::Newest(namespace, most) => sqlx::query(
                "SELECT name, head FROM topics WHERE name > ? AND name < ? ORDER BY newest DESC LIMIT ?",
            )
            .bind(format!("{namespace}:"))
            .bind(format!("{namespace};"))
            .bind(most),
        };
        let rows = rows.fetch_all(&mut *snapshot).await?;
        let heads = rows.iter().map(|row| Ok((parsed(row.try_get::<String, _>(0)?)?, seq(row, 1)?)));
        let heads = heads.collect::<Result<Vec<(Topic, Seq)>, LogError>>()?;
        let latest_first = heads.iter().map(|(topic, _)| topic.clone()).collect();
        Ok(Heads { epoch, heads: heads.into_iter().collect(), latest_first })
    }

    async fn try_write(&self) -> Result<(), LogError> {
        self.database.is_in_place()?;
        // Random, so that no file system stores it in less room.
        sqlx::query("INSERT OR REPLACE INTO room (id, filler) VALUES (1, randomblob(?))")
            .bind(ROOM_BYTES)
            .execute(&self.database.writer)
            .await?;
        Ok(())
    }

    async fn try_read(&self) -> Result<(), LogError> {
        self.database.is_in_place()?;
        self.heads(Which::Topics(&[])).await.map(drop)
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

/// Fails where there is a file that is no database of ours, or not of this program.
pub(super) async fn check(file: &Path) -> Result<(), LogError> {
    if file.exists() {
        sqlite::check_schema(file).await?;
    }
    Ok(())
}

/// An error of the database fails the whole batch; a bad draft is the inner result.
async fn append_one(
    transaction: &mut SqliteConnection,
    draft: Draft,
    epoch: &Epoch,
) -> Result<Result<Appended, AppendError>, LogError> {
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

async fn find_by_key(transaction: &mut SqliteConnection, draft: &Draft) -> Result<Option<Event>, LogError> {
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

async fn epoch(connection: &mut SqliteConnection) -> Result<Epoch, LogError> {
    parsed(sqlx::query_scalar::<_, String>("SELECT epoch FROM life").fetch_one(connection).await?)
}

/// Reads the columns `seq, at, author, author_name, key, payload`.
fn event(topic: &Topic, row: &SqliteRow) -> Result<Event, LogError> {
    let name: DisplayName = parsed(row.try_get::<String, _>(3)?)?;
    let key: Key = parsed(row.try_get::<String, _>(4)?)?;
    Ok(Event {
        topic: topic.clone(),
        seq: seq(row, 0)?,
        at: row.try_get(1)?,
        author: Identity { id: UserId(row.try_get::<String, _>(2)?.into()), name },
        key,
        payload: Payload::from_json(row.try_get(5)?).map_err(|error| LogError(error.to_string()))?,
    })
}

fn seq(row: &SqliteRow, column: usize) -> Result<Seq, LogError> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map(Seq).map_err(|_| LogError(format!("seq {number} in the database is negative")))
}

/// What the database holds was checked before it was written; a value that breaks its grammar is a damaged file.
fn parsed<T: TryFrom<String>>(text: String) -> Result<T, LogError> {
    T::try_from(text.clone()).map_err(|_| LogError(format!("{text:?} in the database breaks its grammar")))
}

impl From<Unusable> for LogError {
    fn from(Unusable(reason): Unusable) -> LogError {
        LogError(reason)
    }
}

impl From<sqlx::Error> for LogError {
    fn from(error: sqlx::Error) -> LogError {
        LogError(error.to_string())
    }
}
