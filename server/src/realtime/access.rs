//! Who is here, and who may read what: one rule for each namespace, asked anew at every subscribe and every pull.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use shared::{Identity, Topic};

use crate::realtime::error::SubscribeError;

/// Who connects or asks.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// As others see them.
    pub identity: Identity,
    /// The sign-in they came with; when it ends, so does the session.
    pub sign_in: SignIn,
    /// The address they come from, or the network that counts as one: all of it is one crowd.
    pub from: IpAddr,
}

/// Names the sign-in under which a session was opened; opaque to the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignIn(pub [u8; 32]);

/// A feature's answer to "may they?". Writing has no rule here: it goes through the feature's own routes.
#[async_trait]
pub trait AccessRule: Send + Sync + 'static {
    /// Whether `who` may read `topic`, now.
    async fn may_read(&self, who: &Identity, topic: &Topic) -> bool;
}

/// The rule of topics that are open to everyone who is signed in.
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
    /// One rule for each namespace.
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
