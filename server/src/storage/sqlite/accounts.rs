//! `SqliteAccounts`: accounts and sign-ins in the SQLite file of the log.

use async_trait::async_trait;
use realtime::SignInId;
use shared::{DisplayName, Identity, Millis, UserId};
use sqlx::Row;

use super::database::Database;
use crate::accounts::{Accounts, AccountsError};
use crate::random::random_text;
use crate::storage::error::DbError;

/// About 95 bits: nobody meets another person's id by chance.
const ID_CHARS: usize = 16;

/// The accounts in a database.
pub struct SqliteAccounts {
    database: Database,
}

impl SqliteAccounts {
    /// The accounts in that database.
    pub fn new(database: Database) -> SqliteAccounts {
        SqliteAccounts { database }
    }

    async fn insert(&self, name: DisplayName, sign_in: SignInId, at: Millis) -> Result<Identity, DbError> {
        let id = UserId(format!("u_{}", random_text(ID_CHARS)).into());
        let mut transaction = self.database.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("INSERT INTO accounts (id, name) VALUES (?, ?)")
            .bind(id.0.as_ref())
            .bind(name.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO sign_ins (token_sha256, account, renewed_at) VALUES (?, ?, ?)")
            .bind(sign_in.0.as_slice())
            .bind(id.0.as_ref())
            .bind(at)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Identity { id, name })
    }

    async fn select(&self, sign_in: SignInId) -> Result<Option<(Identity, Millis)>, DbError> {
        let row = sqlx::query(
            "SELECT accounts.id, accounts.name, sign_ins.renewed_at FROM sign_ins
             JOIN accounts ON accounts.id = sign_ins.account WHERE sign_ins.token_sha256 = ?",
        )
        .bind(sign_in.0.as_slice())
        .fetch_optional(&self.database.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let name = DisplayName::try_from(row.try_get::<String, _>(1)?)
            .map_err(|error| DbError(format!("a name in the database {error}")))?;
        let identity = Identity { id: UserId(row.try_get::<String, _>(0)?.into()), name };
        Ok(Some((identity, row.try_get(2)?)))
    }
}

#[async_trait]
impl Accounts for SqliteAccounts {
    async fn create(
        &self,
        name: DisplayName,
        sign_in: SignInId,
        at: Millis,
    ) -> Result<Identity, AccountsError> {
        Ok(self.insert(name, sign_in, at).await?)
    }

    async fn find(&self, sign_in: SignInId) -> Result<Option<(Identity, Millis)>, AccountsError> {
        Ok(self.select(sign_in).await?)
    }

    async fn rename(&self, id: &UserId, name: DisplayName) -> Result<(), AccountsError> {
        sqlx::query("UPDATE accounts SET name = ? WHERE id = ?")
            .bind(name.as_str())
            .bind(id.0.as_ref())
            .execute(&self.database.writer)
            .await
            .map_err(DbError::from)?;
        Ok(())
    }

    async fn renew(&self, sign_in: SignInId, at: Millis) -> Result<(), AccountsError> {
        sqlx::query("UPDATE sign_ins SET renewed_at = max(renewed_at, ?) WHERE token_sha256 = ?")
            .bind(at)
            .bind(sign_in.0.as_slice())
            .execute(&self.database.writer)
            .await
            .map_err(DbError::from)?;
        Ok(())
    }

    async fn sign_out(&self, sign_in: SignInId) -> Result<(), AccountsError> {
        sqlx::query("DELETE FROM sign_ins WHERE token_sha256 = ?")
            .bind(sign_in.0.as_slice())
            .execute(&self.database.writer)
            .await
            .map_err(DbError::from)?;
        Ok(())
    }

    async fn delete_expired(&self, before: Millis) -> Result<(), AccountsError> {
        sqlx::query("DELETE FROM sign_ins WHERE renewed_at < ?")
            .bind(before)
            .execute(&self.database.writer)
            .await
            .map_err(DbError::from)?;
        Ok(())
    }
}
