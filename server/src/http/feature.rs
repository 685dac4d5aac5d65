//! `Feature`: what a feature hands in.

use std::sync::Arc;

use schemars::JsonSchema;
use shared::TopicKind;

use crate::http::{Payloads, Routes};
use crate::realtime::AccessRule;

/// One domain: a kind of topics, the routes that publish there, and who may read.
pub struct Feature {
    /// The part of its topics before the colon; no two features share one.
    pub namespace: &'static str,
    /// What its topics carry.
    pub payloads: Payloads,
    /// Its routes, under `/api`, with their documentation.
    pub routes: Routes,
    /// Who may read its topics.
    pub access: Arc<dyn AccessRule>,
}

impl Feature {
    /// The feature of that kind of topics.
    pub fn of<Kind: TopicKind<Event: JsonSchema, Signal: JsonSchema>>(
        routes: Routes,
        access: impl AccessRule + 'static,
    ) -> Feature {
        let (namespace, payloads) = (Kind::NAMESPACE, Payloads::of::<Kind>());
        Feature { namespace, payloads, routes, access: Arc::new(access) }
    }
}
