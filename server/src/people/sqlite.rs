//! People in the SQLite file of the log.

use async_trait::async_trait;
use shared::{DisplayName, Identity, Millis, UserId};
use sqlx::Row;

use super::{People, PeopleError, TokenHash};
use crate::random::random_text;
use crate::sqlite::Database;

/// About 95 bits: nobody meets another person's id by chance.
const ID_CHARS: usize = 16;

/// See the module.
pub(super) struct SqlitePeople {
    database: Database,
}

impl SqlitePeople {
    pub(super) fn new(database: Database) -> SqlitePeople {
        SqlitePeople { database }
    }
}

#[async_trait]
impl People for SqlitePeople {
    async fn make_guest(
        &self,
        name: DisplayName,
        token: TokenHash,
        at: Millis,
    ) -> Result<Identity, PeopleError> {
        let id = UserId(format!("u_{}", random_text(ID_CHARS)).into());
        let mut transaction = self.database.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO people (id, name) VALUES (?, ?)")
            .bind(id.0.as_ref())
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO sign_ins (token_sha256, person, renewed_at) VALUES (?, ?, ?)")
            .bind(token.as_slice())
            .bind(id.0.as_ref())
            .bind(at)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Identity { id, name })
    }

    async fn find(&self, token: TokenHash) -> Result<Option<(Identity, Millis)>, PeopleError> {
        let row = sqlx::query(
            "SELECT people.id, people.name, sign_ins.renewed_at FROM sign_ins
             JOIN people ON people.id = sign_ins.person WHERE sign_ins.token_sha256 = ?",
        )
        .bind(token.as_slice())
        .fetch_optional(&self.database.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let name = DisplayName::try_from(row.try_get::<String, _>(1)?)
            .map_err(|error| PeopleError(format!("a name in the database {error}")))?;
        let identity = Identity { id: UserId(row.try_get::<String, _>(0)?.into()), name };
        Ok(Some((identity, row.try_get(2)?)))
    }

    async fn rename(&self, id: &UserId, name: DisplayName) -> Result<(), PeopleError> {
        sqlx::query("UPDATE people SET name = ? WHERE id = ?")
            .bind(name.as_str())
            .bind(id.0.as_ref())
            .execute(&self.database.writer)
            .await?;
        Ok(())
    }

    async fn renew(&self, token: TokenHash, at: Millis) -> Result<(), PeopleError> {
        sqlx::query("UPDATE sign_ins SET renewed_at = max(renewed_at, ?) WHERE token_sha256 = ?")
            .bind(at)
            .bind(token.as_slice())
            .execute(&self.database.writer)
            .await?;
        Ok(())
    }

    async fn end(&self, token: TokenHash) -> Result<(), PeopleError> {
        sqlx::query("DELETE FROM sign_ins WHERE token_sha256 = ?")
            .bind(token.as_slice())
            .execute(&self.database.writer)
            .await?;
        Ok(())
    }

    async fn forget(&self, before: Millis) -> Result<(), PeopleError> {
        sqlx::query("DELETE FROM sign_ins WHERE renewed_at < ?")
            .bind(before)
            .execute(&self.database.writer)
            .await?;
        Ok(())
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

impl From<sqlx::Error> for PeopleError {
    fn from(error: sqlx::Error) -> PeopleError {
        PeopleError(error.to_string())
    }
}
