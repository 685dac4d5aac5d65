//! The page at once: every reader's first load, and what fills every gap.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use shared::{EventPage, Seq};

use super::{Request, VARY_ON};
use crate::http::ApiError;

/// Answers with the page, or with 304 when the caller has it already.
pub async fn answer(request: Request, headers: &HeaderMap) -> Result<Response, ApiError> {
    let _turn = request.app.turns.next(request.from.0).await;
    let page = request.pull(request.range.clone()).await?;
    let tag = tag(&page);
    let common = [(ETAG, tag.as_str()), (CACHE_CONTROL, "private, no-cache"), (VARY, VARY_ON)];
    if has(headers, &tag) {
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

fn has(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim() == "*" || opaque(known) == opaque(tag))
}
