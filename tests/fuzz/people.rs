//! `Everybody`: people without a store. Whatever token is shown, it is Ada's.

use async_trait::async_trait;
use server::people::{People, PeopleError, TokenHash};
use shared::{DisplayName, Identity, Millis, UserId};

use crate::node;

/// See the module.
pub struct Everybody;

#[async_trait]
impl People for Everybody {
    async fn make_guest(&self, _: DisplayName, _: TokenHash, _: Millis) -> Result<Identity, PeopleError> {
        Ok(node::person("Ada"))
    }

    async fn find(&self, _: TokenHash) -> Result<Option<(Identity, Millis)>, PeopleError> {
        Ok(Some((node::person("Ada"), node::clock())))
    }

    async fn rename(&self, _: &UserId, _: DisplayName) -> Result<(), PeopleError> {
        Ok(())
    }

    async fn renew(&self, _: TokenHash, _: Millis) -> Result<(), PeopleError> {
        Ok(())
    }

    async fn forget(&self, _: Millis) -> Result<(), PeopleError> {
        Ok(())
    }

    async fn end(&self, _: TokenHash) -> Result<(), PeopleError> {
        Ok(())
    }
}
