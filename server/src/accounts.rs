//! Accounts and sign-ins: the store's contract and the rules of time. It knows neither HTTP nor SQL.
//!
//! A sign-in is identified by the SHA-256 of its token; the token itself is only in the person's cookie.

use async_trait::async_trait;
use realtime::SignInId;
use shared::{DisplayName, Identity, Millis, UserId};

/// A sign-in that is not renewed for 400 days ends; browsers keep a cookie no longer than that.
pub const SIGN_IN_MS_MAX: Millis = 400 * DAY_MS;
/// A sign-in is renewed at most once a day.
pub const RENEW_AFTER_MS: Millis = DAY_MS;
/// A sign-in is deleted 30 days after its end.
pub const DELETE_AFTER_MS: Millis = 30 * DAY_MS;
const DAY_MS: Millis = 24 * 60 * 60 * 1_000;

/// The durable store of accounts and sign-ins.
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// Creates an account with that name, and signs it in.
    async fn create(
        &self,
        name: DisplayName,
        sign_in: SignInId,
        at: Millis,
    ) -> Result<Identity, AccountsError>;

    /// Returns the person of a sign-in and the time of its last renewal; `None` if it was ended or never made. It does
    /// not judge the sign-in's age.
    async fn find(&self, sign_in: SignInId) -> Result<Option<(Identity, Millis)>, AccountsError>;

    /// Changes an account's name.
    async fn rename(&self, id: &UserId, name: DisplayName) -> Result<(), AccountsError>;

    /// Records a renewal, unless a later one is recorded already. Otherwise a clock that was far behind for a moment would
    /// make the sign-in expire once it is right again.
    async fn renew(&self, sign_in: SignInId, at: Millis) -> Result<(), AccountsError>;

    /// Ends a sign-in; harmless if there is none.
    async fn sign_out(&self, sign_in: SignInId) -> Result<(), AccountsError>;

    /// Deletes the sign-ins that were last renewed before that time.
    async fn delete_expired(&self, before: Millis) -> Result<(), AccountsError>;
}

/// The accounts cannot be read or written. The text names the cause.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct AccountsError(pub String);
