//! `GET /api/topics/{topic}/events`: the pull, which fills every gap and is every reader's first load.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use shared::{Epoch, EventPage, Malformed, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Part, Problem, Seq, Topic};

use crate::http::{ApiError, AppState};
use crate::realtime::{Range, Visitor};

/// Answers a pull; 304 when the caller has that page already.
pub async fn page(
    State(app): State<AppState>,
    visitor: Visitor,
    Path(topic): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let topic: Topic = topic.parse().map_err(|error| ApiError::field("topic", error))?;
    let range = range(&query)?;
    app.node.may_read(&visitor.identity, &topic).await?;
    let page = app.node.page(&topic, range).await?;
    let tag = tag(&page);
    let common = [
        (ETAG, tag.as_str()),
        (CACHE_CONTROL, "private, no-cache"),
        (VARY, "Accept, Prefer, Accept-Encoding"),
    ];
    if has(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok((common, Json(page)).into_response())
}

fn range(query: &BTreeMap<String, String>) -> Result<Range, ApiError> {
    let number = |field: &str| query.get(field).map(|text| text.parse::<u64>());
    let seq = |field: &str, parsed: Option<Result<u64, _>>| {
        let rule = Malformed("must be a seq: a whole number from 0");
        parsed.transpose().map_err(|_| ApiError::field(field, rule)).map(|number| number.map(Seq))
    };
    let part = match (seq("after", number("after"))?, seq("before", number("before"))?) {
        (None, None) => Part::Newest,
        (Some(after), None) => Part::After(after),
        (None, Some(before)) => Part::Before(before),
        (Some(_), Some(_)) => {
            return Err(Problem::invalid_field("before", "must not be given together with after").into());
        }
    };
    let limit = match number("limit") {
        None => PAGE_LIMIT_DEFAULT,
        Some(Ok(limit)) if (1..=u64::from(PAGE_LIMIT_MAX)).contains(&limit) => limit as u32,
        Some(_) => return Err(ApiError::field("limit", Malformed("must be a whole number from 1 to 500"))),
    };
    let epoch = query.get("epoch").map(|text| Epoch::try_from(text.clone())).transpose();
    Ok(Range { part, epoch: epoch.map_err(|error| ApiError::field("epoch", error))?, limit })
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
