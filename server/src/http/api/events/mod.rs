//! `GET /api/topics/{topic}/events`: one resource with three answers: a page at once, a page as soon as there is an event
//! (long poll), or a stream of server-sent events.
//!
//! Each is a pull from where the reader was; a waiting reader is told when to pull again.

mod answer_kind;
mod docs;
mod page;
mod poll;
mod pull;
mod query;
mod stream;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use contract::Answer;
use shared::{ErrorCode, Part, Topic};

use crate::http::error::ApiError;
use crate::http::guard::client_ip::ClientIp;
use crate::http::negotiation::wait_secs;
use crate::http::signed_in::SignedIn;
use crate::http::state::AppState;
use answer_kind::{AnswerKind, answer_kind};
use docs::EventsAnswer;
use pull::PullRequest;

/// Answers with the kind that the headers ask for.
pub async fn events(
    State(app): State<AppState>,
    SignedIn(visitor): SignedIn,
    from: ClientIp,
    Path(topic): Path<String>,
    Query(query): Query<query::EventsQuery>,
    headers: HeaderMap,
) -> Result<Answer<EventsAnswer>, ApiError> {
    let topic: Topic = topic.parse().map_err(|error| ApiError::field("topic", error))?;
    let (range, heard) = query::read(&query)?;
    let kind = answer_kind(&headers).ok_or_else(|| {
        let detail = "this address answers with application/json or text/event-stream";
        ApiError::new(ErrorCode::NotAcceptable, detail)
    })?;
    app.node.may_read(&visitor.identity, &topic).await?;
    let request = PullRequest { app, visitor, from, topic, range, heard };
    let answer = match (kind, wait_secs(&headers), request.range.part) {
        (AnswerKind::Stream, _, _) => stream::answer(request, &headers).await?,
        (AnswerKind::Page, Some(secs), Part::After(after)) => poll::answer(request, after, secs).await?,
        (AnswerKind::Page, _, _) => page::answer(request, &headers).await?,
    };
    Ok(Answer::of(answer))
}
