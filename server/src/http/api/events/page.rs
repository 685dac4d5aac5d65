//! The page at once: every reader's first load, and the answer that fills every gap.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, ETAG, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use shared::{EventPage, Seq};

use super::pull::{PullRequest, VARY_ON};
use crate::http::error::ApiError;
use crate::http::negotiation::has_tag;

/// Answers with the page, or with 304 if the caller has it already.
pub async fn answer(request: PullRequest, headers: &HeaderMap) -> Result<Response, ApiError> {
    let _turn = request.app.page_turns.next(request.from.0).await;
    let page = request.pull(request.range.clone()).await?;
    let tag = tag(&page);
    let common = [(ETAG, tag.as_str()), (CACHE_CONTROL, "private, no-cache"), (VARY, VARY_ON)];
    if has_tag(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok((common, Json(page)).into_response())
}

/// Makes the entity tag. Events never change, so epoch, head, first and last identify the page. The tag is weak, because
/// compression changes the bytes.
fn tag(page: &EventPage) -> String {
    let first = page.events.first().map_or(Seq::ZERO, |event| event.seq);
    let last = page.events.last().map_or(Seq::ZERO, |event| event.seq);
    format!("W/\"{}.{}.{first}-{last}\"", page.epoch, page.head)
}
