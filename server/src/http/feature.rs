//! `Feature`: what a feature hands in.

use std::sync::Arc;

use crate::http::Routes;
use crate::realtime::AccessRule;

/// One domain: a namespace of topics, the routes that publish there, and who may read.
pub struct Feature {
    /// The part of its topics before the colon; no two features share one.
    pub namespace: &'static str,
    /// Its routes, under `/api`, with their documentation.
    pub routes: Routes,
    /// Who may read its topics.
    pub access: Arc<dyn AccessRule>,
}
