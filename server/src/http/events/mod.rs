//! `GET /api/topics/{topic}/events`: one resource, three answers. A page at once, a page as soon as there is
//! something (long poll), or a stream of server-sent events.
//!
//! Each is a pull from where the reader was; the waiting ones are told when to pull again.

mod page;
mod poll;
mod query;
mod stream;
mod wanted;
mod ways;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use shared::{ErrorCode, EventPage, Part, Seq, Topic};

use crate::http::{Answer, ApiError, AppState, ClientIp};
use crate::realtime::{Range, Visitor};

use wanted::Kind;
pub use wanted::wait_secs;
use ways::Ways;

/// On which headers an answer depends.
const VARY_ON: &str = "Accept, Prefer, Accept-Encoding";

/// What is asked for, and by whom.
struct Request {
    app: AppState,
    visitor: Visitor,
    from: ClientIp,
    topic: Topic,
    range: Range,
    /// The newest seq that the reader was told of.
    heard: Seq,
}

/// Answers in the way that the request asks for.
pub async fn events(
    State(app): State<AppState>,
    visitor: Visitor,
    from: ClientIp,
    Path(topic): Path<String>,
    Query(asked): Query<query::Asked>,
    headers: HeaderMap,
) -> Result<Answer<Ways>, ApiError> {
    let topic: Topic = topic.parse().map_err(|error| ApiError::field("topic", error))?;
    let (range, heard) = query::read(&asked)?;
    let kind = wanted::kind(&headers).ok_or_else(|| {
        let detail = "this address answers with application/json or text/event-stream";
        ApiError::new(ErrorCode::NotAcceptable, detail)
    })?;
    app.node.may_read(&visitor.identity, &topic).await?;
    let request = Request { app, visitor, from, topic, range, heard };
    let answer = match (kind, wait_secs(&headers), request.range.part) {
        (Kind::Stream, _, _) => stream::answer(request, &headers).await?,
        (Kind::Page, Some(secs), Part::After(after)) => poll::answer(request, after, secs).await?,
        (Kind::Page, _, _) => page::answer(request, &headers).await?,
    };
    Ok(Answer::of(answer))
}

impl Request {
    /// Reads what is asked for; a waiting reader does it again and again, and must be allowed to each time.
    async fn pull(&self, range: Range) -> Result<EventPage, ApiError> {
        let Request { app, visitor, from, topic, heard, .. } = self;
        // It was let in when those who read at the same time had taken nothing yet.
        app.has_room(*from)?;
        Ok(app.node.page_for(&visitor.identity, topic, range, *heard).await?)
    }
}
