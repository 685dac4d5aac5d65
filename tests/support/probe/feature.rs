//! The feature `probe`: the smallest possible feature, with everything that a feature must have.

use async_trait::async_trait;
use axum::extract::State;
use realtime::AccessRule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use server::http::{ApiError, AppState, Body, Feature, Published, Routes, TopicName, Writer};
use shared::{Identity, Topic, TopicKind};

/// Returns the feature: its topics, its one route and its access rule.
pub fn feature() -> Feature {
    let routes = Routes::new().post("/api/probe/{name}/events", "Publishes a text.", publish);
    Feature::of::<Probe>(routes, NotPrivate)
}

/// The topics of the probe.
struct Probe;

impl TopicKind for Probe {
    const NAMESPACE: &str = "probe";
    type Event = Said;
    type Signal = ();
}

/// The event, and the body of the request that publishes it: any text that the core accepts.
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

/// An access rule by which nobody may read a topic whose name begins with `private-`.
struct NotPrivate;

#[async_trait]
impl AccessRule for NotPrivate {
    async fn may_read(&self, _who: &Identity, topic: &Topic) -> bool {
        !topic.name().starts_with("private-")
    }
}
