//! The long poll: the page as soon as it holds an event, for networks through which no socket comes.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::response::{IntoResponse, Response};
use shared::{EventPage, Seq, endpoint};
use tokio::time::{Instant, timeout_at};

use super::{Request, VARY_ON};
use crate::http::ApiError;
use crate::realtime::Watch;

/// Answers once there is an event beyond `after`, or with none when the time is up.
pub async fn answer(request: Request, after: Seq, secs: u32) -> Result<Response, ApiError> {
    let Request { app, visitor, topic, .. } = &request;
    let _counted = app.admit_reader(request.from)?;
    let until = Instant::now() + Duration::from_secs(secs.into());
    let mut watch = Watch::begin(&app.node, visitor.clone(), topic.clone());
    if let Some(ending) = app.no_longer_welcome(visitor).await {
        return Err(ending.into());
    }
    let (page, _turn) = loop {
        // It begins with waiting for the hub, so that a crowd of pollers costs the log one read.
        let moved = timeout_at(until, watch.moved()).await;
        if let Ok(Err(ending)) = moved {
            return Err(ending.into());
        }
        let turn = app.turns.next(request.from.0).await;
        let page = request.pull(request.range.clone()).await?;
        if moved.is_err() || has_news(&page, after) {
            break (page, turn);
        }
    };
    let applied = [(endpoint::PREFERENCE_APPLIED, endpoint::wait(secs))];
    Ok((applied, [(CACHE_CONTROL, "no-store"), (VARY, VARY_ON)], Json(page)).into_response())
}

/// Whether the reader learns something: an event, or that its position is void.
fn has_news(page: &EventPage, after: Seq) -> bool {
    !page.events.is_empty() || page.head < after
}
