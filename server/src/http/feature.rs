//! `Feature`: everything that a feature hands in.

use std::sync::Arc;

use contract::Payloads;
use realtime::AccessRule;
use schemars::JsonSchema;
use shared::TopicKind;

use crate::http::state::AppState;

/// The routes of a feature, for the node's state.
pub type Routes = contract::Routes<AppState>;

/// One domain: a kind of topics, the routes that publish there, and who may read.
pub struct Feature {
    /// The part of its topics before the colon. No two features share one.
    pub namespace: &'static str,
    /// The payload types of its topics.
    pub payloads: Payloads,
    /// Its routes, under `/api`, with their documentation.
    pub routes: Routes,
    /// The rule that says who may read its topics.
    pub access: Arc<dyn AccessRule>,
}

impl Feature {
    /// Creates the feature of a kind of topics.
    pub fn of<Kind: TopicKind<Event: JsonSchema, Signal: JsonSchema>>(
        routes: Routes,
        access: impl AccessRule + 'static,
    ) -> Feature {
        let (namespace, payloads) = (Kind::NAMESPACE, Payloads::of::<Kind>());
        Feature { namespace, payloads, routes, access: Arc::new(access) }
    }
}
