//! The real server with the smallest feature there is, `probe`, in place of the demo.
//!
//! The core's tests talk to it, so they stay when the demo goes; and it shows what a feature needs at the least.

use std::process::ExitCode;

use async_trait::async_trait;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use server::http::{ApiError, AppState, Body, Feature, Named, Published, Routes, Writer};
use server::realtime::AccessRule;
use shared::{Identity, Topic, TopicKind};

fn main() -> ExitCode {
    let routes = Routes::new().post("/api/probe/{name}/events", "Publishes a text.", publish);
    server::run(vec![Feature::of::<Probe>(routes, NotPrivate)])
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
    named: Named<Probe>,
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
