//! Visitors, and the rules by which they may read: one for each namespace, asked at every subscribe and every pull.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use shared::{Identity, Topic};

use crate::error::SubscribeError;

/// A signed-in person behind a connection or a request.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The person, under the name that others see.
    pub identity: Identity,
    /// The sign-in that they came with. When it ends, so do its sessions.
    pub sign_in: SignInId,
    /// The address that they come from, or the network that counts as one address.
    pub from: IpAddr,
}

/// Identifies a sign-in: the SHA-256 of the token in its cookie. Opaque to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignInId(pub [u8; 32]);

/// A feature's rule about its topics. Writing has no rule here: it goes through the feature's own routes.
#[async_trait]
pub trait AccessRule: Send + Sync + 'static {
    /// True if `who` may read `topic` now.
    async fn may_read(&self, who: &Identity, topic: &Topic) -> bool;
}

/// The rule of topics that everyone may read who is signed in.
pub struct Everyone;

#[async_trait]
impl AccessRule for Everyone {
    async fn may_read(&self, _who: &Identity, _topic: &Topic) -> bool {
        true
    }
}

/// The rules of all features.
#[derive(Clone, Default)]
pub struct Access {
    rules: BTreeMap<&'static str, Arc<dyn AccessRule>>,
}

impl Access {
    /// Collects the rules, one for each namespace.
    pub fn new(rules: impl IntoIterator<Item = (&'static str, Arc<dyn AccessRule>)>) -> Access {
        Access { rules: rules.into_iter().collect() }
    }

    /// Asks the rule of the topic's namespace.
    pub async fn check(&self, who: &Identity, topic: &Topic) -> Result<(), SubscribeError> {
        let namespace = topic.namespace();
        let Some(rule) = self.rules.get(namespace) else {
            return Err(SubscribeError::UnknownNamespace(namespace.into()));
        };
        if rule.may_read(who, topic).await { Ok(()) } else { Err(SubscribeError::Forbidden) }
    }
}
