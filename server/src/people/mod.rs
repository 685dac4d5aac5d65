//! People and where they are signed in. A leaf: it knows neither HTTP nor the log.
//!
//! A sign-in is known by the SHA-256 of its token; the token itself is only ever in the person's cookie.

mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use shared::{DisplayName, Identity, Millis, UserId};

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

    /// Notes that the sign-in was renewed.
    async fn renew(&self, token: TokenHash, at: Millis) -> Result<(), PeopleError>;

    /// Ends the sign-in; harmless when there is none.
    async fn end(&self, token: TokenHash) -> Result<(), PeopleError>;

    /// Gives back what the store holds open, once nobody will call it any more.
    async fn close(&self) {}
}

/// The store cannot be read or written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct PeopleError(pub String);

/// Opens the store that `url` names: `sqlite:FILE`, the same file as the log's.
pub async fn open(url: &str) -> Result<Arc<dyn People>, PeopleError> {
    match url.split_once(':') {
        Some(("sqlite", _)) => Ok(Arc::new(sqlite::SqlitePeople::open(url).await?)),
        _ => {
            // What follows the scheme may hold a password.
            let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
            Err(PeopleError(format!("unknown scheme {scheme:?}: sqlite:FILE is known")))
        }
    }
}
