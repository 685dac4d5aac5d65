//! The page at once: every reader's first load, and what fills every gap.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, ETAG, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use shared::{EventPage, Seq};

use super::{Request, VARY_ON};
use crate::http::{ApiError, conditional};

/// Answers with the page, or with 304 when the caller has it already.
pub async fn answer(request: Request, headers: &HeaderMap) -> Result<Response, ApiError> {
    let _turn = request.app.turns.next(request.from.0).await;
    let page = request.pull(request.range.clone()).await?;
    let tag = tag(&page);
    let common = [(ETAG, tag.as_str()), (CACHE_CONTROL, "private, no-cache"), (VARY, VARY_ON)];
    if conditional::has(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok((common, Json(page)).into_response())
}

/// Events never change, so these four say all that the page holds. Weak, since compression changes the bytes.
fn tag(page: &EventPage) -> String {
    let first = page.events.first().map_or(Seq::ZERO, |event| event.seq);
    let last = page.events.last().map_or(Seq::ZERO, |event| event.seq);
    format!("W/\"{}.{}.{first}-{last}\"", page.epoch, page.head)
}
