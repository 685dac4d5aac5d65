//! What holds for every request: an id, a log line, a deadline, and one shape for errors.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderName};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared::endpoint;
use tracing::Instrument;
use tracing::field::Empty;

use crate::http::error::{self, ApiError, PROBLEM_JSON};
use crate::http::{AppState, events};
use crate::random::random_text;
use crate::telemetry;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ID_CHARS: usize = 16;
/// A handler that takes longer, beyond what its caller asked it to wait, has lost its caller's patience.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

tokio::task_local! {
    static ID: String;
}

/// The id of the request that this task answers; empty elsewhere.
pub fn id() -> String {
    ID.try_with(Clone::clone).unwrap_or_default()
}

/// Gives the request an id and the answer its common headers, and turns what libraries answer into problems.
pub async fn identify(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let id = random_text(ID_CHARS);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", request = %id, user = Empty, %method, path);
    telemetry::follow(&span, |name| request.headers().get(name)?.to_str().ok());
    let answer = async {
        let (started, version) = (Instant::now(), request.version());
        let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
        let response = as_problem(&path, next.run(request).await);
        let (status, took) = (response.status(), started.elapsed());
        // A path is the caller's to choose, and there would be no end of them.
        let unmatched = if is_api(&path) { "unknown" } else { "pages" };
        app.meters.answered(&method, route.as_deref().unwrap_or(unmatched), status, took);
        let (status, millis) = (status.as_u16(), took.as_millis() as u64);
        tracing::debug!(route, ?version, status, millis, "answered");
        response
    };
    let mut response = ID.scope(id.clone(), answer.instrument(span)).await;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// Answers `unavailable` for a handler that is too slow. What it had handed to the publisher happens all the same.
pub async fn timeout(request: Request, next: Next) -> Response {
    let asked = Duration::from_secs(events::wait_secs(request.headers()).unwrap_or_default().into());
    match tokio::time::timeout(ANSWER_WITHIN + asked, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::unavailable("the request took too long; try again").into_response(),
    }
}

/// Whether an address belongs to the API or is the socket, where every error is a problem.
pub fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/") || path == endpoint::SOCKET
}

fn as_problem(path: &str, response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || !is_api(path) || response.headers().get(CONTENT_TYPE) == Some(&PROBLEM_JSON) {
        return response;
    }
    let mut problem = error::of_status(status).into_response();
    if let Some(allow) = response.headers().get(ALLOW) {
        problem.headers_mut().insert(ALLOW, allow.clone());
    }
    problem
}
