//! The long poll: the page as soon as there is an event, for networks that block WebSockets.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::response::{IntoResponse, Response};
use realtime::Waiter;
use shared::{EventPage, Seq, endpoint};
use tokio::time::{Instant, timeout_at};

use super::pull::{PullRequest, VARY_ON};
use crate::http::error::ApiError;

/// Answers once there is an event beyond `after`, or with an empty page after `secs` seconds.
pub async fn answer(request: PullRequest, after: Seq, secs: u32) -> Result<Response, ApiError> {
    let PullRequest { app, visitor, topic, .. } = &request;
    let _slot = app.admit_reader(request.from)?;
    let until = Instant::now() + Duration::from_secs(secs.into());
    let mut waiter = Waiter::begin(&app.node, visitor.clone(), topic.clone());
    if let Some(ending) = app.recheck_visitor(visitor).await {
        return Err(ending.into());
    }
    let (page, _turn) = loop {
        // It waits for the hub first, so that a crowd of pollers costs the log one read.
        let moved = timeout_at(until, waiter.moved()).await;
        if let Ok(Err(ending)) = moved {
            return Err(ending.into());
        }
        let turn = app.page_turns.next(request.from.0).await;
        let page = request.pull(request.range.clone()).await?;
        if moved.is_err() || has_news(&page, after) {
            break (page, turn);
        }
    };
    let applied = [(endpoint::PREFERENCE_APPLIED, endpoint::wait(secs))];
    Ok((applied, [(CACHE_CONTROL, "no-store"), (VARY, VARY_ON)], Json(page)).into_response())
}

/// True if the page tells the reader something: an event, or that its position is void.
fn has_news(page: &EventPage, after: Seq) -> bool {
    !page.events.is_empty() || page.head < after
}
