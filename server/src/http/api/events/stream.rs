//! The stream: server-sent events (HTML Living Standard §9.2), push over plain HTTP for scripts and `EventSource`.
//!
//! It pulls at the pace of its reader, from where that reader is: a slow one costs no queue and misses nothing.
//! Each block carries the reader's position as its id, so that the reader's own retry resumes it.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, VARY};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use realtime::{Ending, Range, Waiter};
use serde::Serialize;
use shared::{CloseReason, Epoch, EventPage, PAGE_LIMIT_DEFAULT, Part, Position, Seq, endpoint};
use tokio::time::timeout;
use tracing::{Instrument, Span};

use super::pull::{PullRequest, VARY_ON};
use crate::http::error::ApiError;
use crate::http::guard::rates::AddressSlot;

/// A comment is written this often, so that no proxy takes the connection for dead.
const COMMENT_EVERY: Duration = Duration::from_secs(15);
/// The delay before a stream that was ended for lack of memory may come back.
const SHED_RETRY_MS: u64 = 90_000;
const COMMENT: &str = ":\n\n";

/// Answers with a stream that goes on until its reader is sent away.
pub async fn answer(request: PullRequest, headers: &HeaderMap) -> Result<Response, ApiError> {
    let slot = request.app.admit_reader(request.from)?;
    let mut waiter = Waiter::begin(&request.app.node, request.visitor.clone(), request.topic.clone());
    if let Some(ending) = request.app.recheck_visitor(&request.visitor).await {
        return Err(ending.into());
    }
    // It waits for the hub first, so that a crowd of streams costs the log one read.
    if let Ok(Err(ending)) = timeout(COMMENT_EVERY, waiter.moved()).await {
        return Err(ending.into());
    }
    let (at, first) = begin(&request, headers).await?;
    let stream = EventStream { request, waiter, at, first: Some(first), is_over: false, _slot: slot };
    let span = Span::current();
    let body = Body::from_stream(unfold(stream, move |mut stream| {
        let next = async move {
            let block = stream.next().await?;
            Some((Ok::<_, std::convert::Infallible>(block), stream))
        };
        next.instrument(span.clone())
    }));
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        // A proxy that compresses or gathers the stream would hold it back.
        (CACHE_CONTROL, "no-store, no-transform"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
        (VARY, VARY_ON),
    ];
    Ok((headers, body).into_response())
}

/// Finds the reader's position, and makes the first block: that position, or a `reset` if the reader's own is void.
async fn begin(request: &PullRequest, headers: &HeaderMap) -> Result<(Position, Bytes), ApiError> {
    let asked = match (headers.get(endpoint::LAST_EVENT_ID), request.range.part) {
        (Some(id), _) => id.to_str().ok().and_then(position),
        (None, Part::After(after)) => Some((request.range.epoch.clone(), after)),
        (None, _) => {
            let newest = Range { part: Part::Newest, epoch: None, limit: 1 };
            let page = request.pull(newest).await?;
            let at = Position { epoch: page.epoch, seq: page.head };
            return Ok((at.clone(), Bytes::from(format!("{}\n", id_line(&at)))));
        }
    };
    if let Some((epoch, after)) = asked {
        let page = request.pull(Range { part: Part::After(after), epoch: epoch.clone(), limit: 1 }).await?;
        if page.head >= after && epoch.is_none_or(|epoch| epoch == page.epoch) {
            let at = Position { epoch: page.epoch, seq: after };
            return Ok((at.clone(), Bytes::from(format!("{}\n", id_line(&at)))));
        }
    }
    let page = request.pull(Range { part: Part::Newest, epoch: None, limit: request.range.limit }).await?;
    Ok((Position { epoch: page.epoch.clone(), seq: page.head }, reset(&page)))
}

struct EventStream {
    request: PullRequest,
    waiter: Waiter,
    at: Position,
    first: Option<Bytes>,
    is_over: bool,
    _slot: AddressSlot,
}

impl EventStream {
    /// Returns the next block; `None` once the stream is over.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        while !self.is_over {
            // A busy topic must not keep a reader that is sent away.
            if let Some(ending) = self.waiter.ending() {
                return self.farewell(ending);
            }
            let after = Range {
                part: Part::After(self.at.seq),
                epoch: Some(self.at.epoch.clone()),
                limit: PAGE_LIMIT_DEFAULT,
            };
            // An error ends the stream; the reader's retry is answered with its status.
            let page = self.request.pull(after).await.ok()?;
            let is_same_log = page.epoch == self.at.epoch && page.head >= self.at.seq;
            if !is_same_log {
                self.at = Position { epoch: page.epoch.clone(), seq: page.head };
                return Some(reset(&page));
            }
            if let Some(last) = page.events.last() {
                self.at.seq = last.seq;
                return Some(blocks(&page));
            }
            match timeout(COMMENT_EVERY, self.waiter.moved()).await {
                Ok(Ok(())) => {}
                Ok(Err(ending)) => return self.farewell(ending),
                Err(_) => return Some(Bytes::from_static(COMMENT.as_bytes())),
            }
        }
        None
    }

    fn farewell(&mut self, ending: Ending) -> Option<Bytes> {
        self.is_over = true;
        match ending {
            // Sooner it would be refused, and a refused `EventSource` never tries again.
            Ending::Close(CloseReason::TryAgainLater) => {
                Some(Bytes::from(format!("retry: {SHED_RETRY_MS}\n\n")))
            }
            Ending::Close(_) => None,
            Ending::Drain { reconnect_after_ms } => {
                Some(Bytes::from(format!("retry: {reconnect_after_ms}\n\n")))
            }
        }
    }
}

fn id_line(at: &Position) -> String {
    format!("id: {}:{}\n", at.epoch, at.seq)
}

/// Reads the id that [`id_line`] writes.
fn position(id: &str) -> Option<(Option<Epoch>, Seq)> {
    let (epoch, seq) = id.split_once(':')?;
    let digits = seq.bytes().all(|byte| byte.is_ascii_digit());
    let seq = seq.parse().ok().filter(|_| digits)?;
    Some((Some(Epoch::try_from(epoch.to_owned()).ok()?), Seq(seq)))
}

fn reset(page: &EventPage) -> Bytes {
    let at = Position { epoch: page.epoch.clone(), seq: page.head };
    Bytes::from(block(&at, "reset", page))
}

fn blocks(page: &EventPage) -> Bytes {
    let of = |seq| Position { epoch: page.epoch.clone(), seq };
    page.events.iter().map(|event| block(&of(event.seq), "event", event)).collect::<String>().into()
}

/// Formats a block. JSON has no line breaks, so one `data` line is enough.
fn block(at: &Position, name: &str, data: &impl Serialize) -> String {
    let data = serde_json::to_string(data).expect("a page has only string keys and finite numbers");
    format!("{}event: {name}\ndata: {data}\n\n", id_line(at))
}
