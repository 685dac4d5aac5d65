//! The documentation of the three answers, and of the headers that choose between them.

use axum::http::StatusCode;
use contract::{Described, Operation, Place};
use serde_json::{Value, json};
use shared::{ErrorCode, EventPage, NAME_PATTERN, endpoint};

/// A page, a page that was waited for, or a stream.
pub enum EventsAnswer {}

impl Described for EventsAnswer {
    fn describe(operation: &mut Operation<'_>) {
        let namespaces = operation.namespaces.join("|");
        let topic = json!({ "type": "string", "pattern": format!("^({namespaces}):{NAME_PATTERN}$") });
        operation.requires(Place::Path, "topic", topic, "Which topic: one of a kind that this node knows.");
        takes_headers(operation);
        let about = "A page: at once, or as soon as it holds an event. Or a stream, which begins with a block of only an \
            id, so that it can be resumed; each event follows as `id: {epoch}:{seq}`, `event: event`, `data: {the \
            event}`. A reader whose position is void gets `event: reset` with the newest page.";
        operation.answers_json::<EventPage>(StatusCode::OK, about);
        operation.answers_with(StatusCode::OK, "text/event-stream", text(), about);
        operation.answers(StatusCode::NOT_MODIFIED, "You have this page already.");
        for status in [StatusCode::OK, StatusCode::NOT_MODIFIED] {
            operation.answers_header(
                status,
                "ETag",
                text(),
                "Weak; not on what was waited for, nor on a stream.",
            );
            operation.answers_header(status, "Cache-Control", text(), "`private, no-cache`, or `no-store`.");
            operation.answers_header(status, "Vary", text(), "The headers that chose this answer.");
        }
        let applied = "`wait=N`, on an answer that would have waited.";
        operation.answers_header(StatusCode::OK, endpoint::PREFERENCE_APPLIED, text(), applied);
        operation.refuses(ErrorCode::NotFound);
        operation.refuses(ErrorCode::NotAcceptable);
        operation.refuses(ErrorCode::TooMany);
    }
}

/// Describes the headers. None is ever refused: a value that cannot be understood is ignored, or starts a stream over.
fn takes_headers(operation: &mut Operation<'_>) {
    let about =
        "`wait=N` (RFC 7240): with `after`, waits up to N seconds, 60 at most, for an event beyond it.";
    operation.takes(Place::Header, endpoint::PREFER, text(), about);
    let about = "The id of the last block of a stream, which goes on after it; counts before `after`.";
    operation.takes(Place::Header, endpoint::LAST_EVENT_ID, text(), about);
    let about = "The `ETag` of a page that you have: 304 when nothing has changed.";
    operation.takes(Place::Header, "If-None-Match", text(), about);
}

fn text() -> Value {
    json!({ "type": "string" })
}
