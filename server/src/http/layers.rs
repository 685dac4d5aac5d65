//! The layers that every request passes: an id and a log line, a timeout, one shape for errors, and two rules of HTTP that
//! the libraries leave out.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;
use tracing::field::Empty;

use crate::http::error::{self, ApiError, PROBLEM_JSON, is_api};
use crate::http::negotiation::{list, wait_secs};
use crate::http::request_id;
use crate::telemetry;
use crate::telemetry::edge_metrics::EdgeMetrics;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The time that a handler may take, beyond the wait that its caller asked for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Gives the request an id, a span and a log line, counts it, and turns the errors of libraries into problems.
pub async fn identify(State(metrics): State<EdgeMetrics>, request: Request, next: Next) -> Response {
    let id = request_id::new();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let span = tracing::info_span!("request", request = %id, user = Empty, %method, path);
    telemetry::follow(&span, |name| request.headers().get(name)?.to_str().ok());
    let answer = async {
        let started = Instant::now();
        let version = request.version();
        let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
        let response = as_problem(&path, next.run(request).await);
        let status = response.status();
        let took = started.elapsed();
        // The path itself would be a label without end: callers choose it.
        let unmatched = if is_api(&path) { "unknown" } else { "pages" };
        metrics.answered(&method, route.as_deref().unwrap_or(unmatched), status, took);
        let millis = took.as_millis() as u64;
        tracing::debug!(route, ?version, status = status.as_u16(), millis, "answered");
        response
    };
    let mut response = request_id::scope(id.clone(), answer.instrument(span)).await;
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Answers `unavailable` for a handler that is too slow. A draft that it handed to the publisher is appended all the same.
pub async fn timeout(request: Request, next: Next) -> Response {
    let asked = Duration::from_secs(wait_secs(request.headers()).unwrap_or_default().into());
    match tokio::time::timeout(ANSWER_TIMEOUT + asked, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::unavailable("the request took too long; try again").into_response(),
    }
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

/// Answers OPTIONS with the methods of the path (RFC 9110 §9.3.7), taken from the `Allow` header of the 405.
pub async fn answer_options(request: Request, next: Next) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if is_options && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        *response.status_mut() = StatusCode::NO_CONTENT;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

/// Removes `identity` and `*` from `Accept-Encoding`, so that an uncompressed answer is always acceptable. Otherwise the
/// compression would answer 406 after the work is done; RFC 9110 §12.5.3 leaves the choice to the server.
pub async fn accept_plain(mut request: Request, next: Next) -> Response {
    let refuses = |entry: &str| {
        let name = entry.split(';').next().unwrap_or_default().trim();
        name == "*" || name.eq_ignore_ascii_case("identity")
    };
    let entries: Vec<&str> = list(request.headers(), ACCEPT_ENCODING).collect();
    if entries.iter().any(|entry| refuses(entry)) {
        let codings = entries.into_iter().filter(|entry| !refuses(entry)).collect::<Vec<_>>().join(", ");
        let codings = HeaderValue::try_from(codings).unwrap_or(HeaderValue::from_static(""));
        request.headers_mut().insert(ACCEPT_ENCODING, codings);
    }
    next.run(request).await
}
