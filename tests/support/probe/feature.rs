//! The feature `probe`: the smallest there is, and what a feature needs at the least.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use server::http::{ApiError, AppState, Body, Feature, Published, Writer};
use server::realtime::AccessRule;
use shared::{Identity, Topic};

const NAMESPACE: &str = "probe";

/// Its topics, its one route, and who may read.
pub fn feature() -> Feature {
    let routes = Router::new().route("/api/probe/{name}/events", post(publish));
    Feature { namespace: NAMESPACE, routes, access: Arc::new(NotPrivate) }
}

/// What is published, and what is posted to publish it: any text that the core lets through.
#[derive(Serialize, Deserialize)]
struct Said {
    text: String,
}

async fn publish(
    State(app): State<AppState>,
    writer: Writer,
    Path(name): Path<String>,
    Body(said): Body<Said>,
) -> Result<Published, ApiError> {
    let topic = Topic::new(NAMESPACE, &name).map_err(|error| ApiError::field("name", error))?;
    app.publish(writer, topic, &said).await
}

/// Nobody reads a topic whose name begins with `private-`.
struct NotPrivate;

#[async_trait]
impl AccessRule for NotPrivate {
    async fn may_read(&self, _who: &Identity, topic: &Topic) -> bool {
        !topic.name().starts_with("private-")
    }
}
