//! `Summary`: the contents of a log in one line, which tells it from another one.

use std::fmt;

use shared::Millis;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
use time::OffsetDateTime;

use crate::storage::error::DbError;

/// The number of events and topics of a log, and the time of its newest event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Events of all topics.
    pub events: u64,
    /// Topics with an event.
    pub topics: u64,
    /// The time of the newest event; `None` without any.
    pub newest_at: Option<Millis>,
}

impl Summary {
    /// Summarizes the database behind a connection, which may lack the newest migrations.
    pub(super) async fn of(connection: &mut SqliteConnection) -> Result<Summary, DbError> {
        // Topics have no holes, so their heads are the number of their events.
        let sums =
            sqlx::query("SELECT count(*), coalesce(sum(head), 0) FROM topics").fetch_one(&mut *connection);
        let sums = sums.await?;
        let (topics, events): (i64, i64) = (sums.try_get(0)?, sums.try_get(1)?);
        let order = sqlx::query_scalar::<_, String>(
            "SELECT name FROM pragma_table_info('topics') WHERE name IN ('newest', 'newest_at')",
        );
        let order = order.fetch_optional(&mut *connection).await?.unwrap_or_else(|| "id".into());
        let newest_at = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT at FROM events JOIN topics ON topics.id = events.topic AND topics.head = events.seq
             ORDER BY topics.{order} DESC LIMIT 1"
        )));
        let newest_at = newest_at.fetch_optional(connection).await?;
        Ok(Summary { events: events.unsigned_abs(), topics: topics.unsigned_abs(), newest_at })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { events, topics, newest_at } = self;
        let s = |count: &u64| if *count == 1 { "" } else { "s" };
        write!(f, "{events} event{} in {topics} topic{}", s(events), s(topics))?;
        let newest = newest_at.and_then(|at| OffsetDateTime::from_unix_timestamp(at / 1_000).ok());
        newest.map_or(Ok(()), |at| {
            let (day, time) = (at.date(), at.time());
            write!(
                f,
                ", the newest of {day} {:02}:{:02}:{:02} UTC",
                time.hour(),
                time.minute(),
                time.second()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_a_line() {
        let log = Summary { events: 1_204, topics: 1, newest_at: Some(1_795_828_920_069) };
        assert_eq!(log.to_string(), "1204 events in 1 topic, the newest of 2026-11-28 01:22:00 UTC");
        let empty = Summary { events: 0, topics: 0, newest_at: None };
        assert_eq!(empty.to_string(), "0 events in 0 topics");
    }
}
