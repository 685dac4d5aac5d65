//! What holds for every address: which paths are none, which methods there are, and whose pages may read answers.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LOCATION, RETRY_AFTER,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared::{ErrorCode, endpoint};
use std::time::Duration;
use tower_http::cors::CorsLayer;

use crate::http::ApiError;

/// What a path may not hold: to the one who routes it a letter, to the next who decodes it a slash or an end.
const ODD: [&str; 5] = ["%00", "%2f", "%5c", "\\", "//"];
/// How long a browser may remember what a page of another host is allowed.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60 * 60);

/// Answers 404 to paths that mean one thing here and another behind a decoder.
pub async fn refuse_odd_paths(request: Request, next: Next) -> Response {
    if is_odd(request.uri().path()) {
        return ApiError::new(ErrorCode::NotFound, "there is nothing under this address").into_response();
    }
    next.run(request).await
}

fn is_odd(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let steps_up = path.split('/').any(|part| matches!(part.replace("%2e", ".").as_str(), "." | ".."));
    !path.starts_with('/') || steps_up || ODD.iter().any(|odd| path.contains(odd))
}

/// OPTIONS tells what an address knows (RFC 9110 §9.3.7), out of the same list as the refusal of a method.
pub async fn answer_options(request: Request, next: Next) -> Response {
    let asks = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if asks && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        *response.status_mut() = StatusCode::NO_CONTENT;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

/// Lets the pages of these origins use the API as the node's own does; nothing when there are none.
pub fn cors(origins: &[String]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> =
        origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok()).collect();
    let sent = [endpoint::IDEMPOTENCY_KEY, endpoint::PREFER, endpoint::LAST_EVENT_ID].map(named);
    let told = [endpoint::IDEMPOTENCY_REPLAYED, endpoint::PREFERENCE_APPLIED, "x-request-id"].map(named);
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(sent.into_iter().chain([CONTENT_TYPE, IF_NONE_MATCH]).collect::<Vec<_>>())
        .expose_headers(told.into_iter().chain([ETAG, LOCATION, RETRY_AFTER]).collect::<Vec<_>>())
        .allow_credentials(true)
        .max_age(ASK_AGAIN_AFTER);
    (!origins.is_empty()).then(|| layer.allow_origin(origins))
}

fn named(header: &'static str) -> HeaderName {
    HeaderName::try_from(header).expect("our own names are well formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_hides_a_slash_or_a_step_is_odd() {
        for path in [
            "/..",
            "/a/../b",
            "/a/%2E%2e/b",
            "/.%2e",
            "/a%2Fb",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a%00",
            "//a",
            "",
            "a",
        ] {
            assert!(is_odd(path), "{path}");
        }
        for path in ["/", "/rooms/general", "/a.b/..c", "/api/topics/chat:general/events", "/%20", "/a..b"] {
            assert!(!is_odd(path), "{path}");
        }
    }
}
