//! People and where they are signed in. A leaf: it knows neither HTTP nor the log.
//!
//! A sign-in is known by the SHA-256 of its token; the token itself is only ever in the person's cookie.

mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use shared::{DisplayName, Identity, Millis, UserId};

use crate::store::{Kind, Store};

/// SHA-256 of a sign-in's token.
pub type TokenHash = [u8; 32];

/// The durable store of people.
#[async_trait]
pub trait People: Send + Sync + 'static {
    /// Makes a person with that name, signed in under `token`.
    async fn make_guest(
        &self,
        name: DisplayName,
        token: TokenHash,
        at: Millis,
    ) -> Result<Identity, PeopleError>;

    /// Who is signed in under `token`, and when that was last renewed; nobody when it was ended or never made.
    async fn find(&self, token: TokenHash) -> Result<Option<(Identity, Millis)>, PeopleError>;

    /// Changes the name from now on.
    async fn rename(&self, id: &UserId, name: DisplayName) -> Result<(), PeopleError>;

    /// Notes that the sign-in was renewed. A later time that is noted already stays: once a clock that was far behind
    /// is right again, the sign-in would be over.
    async fn renew(&self, token: TokenHash, at: Millis) -> Result<(), PeopleError>;

    /// Ends the sign-in; harmless when there is none.
    async fn end(&self, token: TokenHash) -> Result<(), PeopleError>;

    /// Forgets the sign-ins that were last renewed before then.
    async fn forget(&self, before: Millis) -> Result<(), PeopleError>;

    /// Gives back what the store holds open, once nobody will call it any more.
    async fn close(&self) {}
}

/// The store cannot be read or written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct PeopleError(pub String);

/// The people in that database.
pub fn open(store: &Store) -> Arc<dyn People> {
    match &store.0 {
        Kind::Sqlite(database) => Arc::new(sqlite::SqlitePeople::new(database.clone())),
    }
}
