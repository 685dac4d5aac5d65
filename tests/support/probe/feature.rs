//! The feature `probe`: the smallest there is, and what a feature needs at the least.

use async_trait::async_trait;
use axum::extract::State;
use realtime::AccessRule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use server::http::{ApiError, AppState, Body, Feature, Published, Routes, TopicName, Writer};
use shared::{Identity, Topic, TopicKind};

/// Its topics, its one route, and who may read.
pub fn feature() -> Feature {
    let routes = Routes::new().post("/api/probe/{name}/events", "Publishes a text.", publish);
    Feature::of::<Probe>(routes, NotPrivate)
}

/// Topics in which people say things.
struct Probe;

impl TopicKind for Probe {
    const NAMESPACE: &str = "probe";
    type Event = Said;
    type Signal = ();
}

/// What is published, and what is posted to publish it: any text that the core lets through.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(example = Said { text: "hello".into() })]
struct Said {
    text: String,
}

async fn publish(
    State(app): State<AppState>,
    writer: Writer,
    named: TopicName<Probe>,
    Body(said): Body<Said>,
) -> Result<Published, ApiError> {
    app.publish(writer, named.topic, &said).await
}

/// Nobody reads a topic whose name begins with `private-`.
struct NotPrivate;

#[async_trait]
impl AccessRule for NotPrivate {
    async fn may_read(&self, _who: &Identity, topic: &Topic) -> bool {
        !topic.name().starts_with("private-")
    }
}
