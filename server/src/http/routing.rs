//! What holds for every address: which paths are none, that one host is named, which methods there are, and whose
//! pages may read answers.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, HeaderName,
    IF_NONE_MATCH, LOCATION, ORIGIN, RETRY_AFTER,
};
use axum::http::{HeaderValue, Method, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared::{ErrorCode, endpoint};
use tower::{Layer, ServiceExt};
use tower_http::cors::CorsLayer;

use crate::authority::{Authority, Origin};
use crate::http::ApiError;
use crate::http::accepted::list;

/// What a path may not hold: to the one who routes it a letter, to the next who decodes it a slash or an end.
const ODD: [&str; 5] = ["%00", "%2f", "%5c", "\\", "//"];
/// How long a browser may remember what a page of another host is allowed.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60 * 60);

/// Refuses what may mean one thing here and another to a proxy: a path that hides something behind a decoder (404),
/// and a request that does not name one host (400).
pub async fn refuse_ambiguous(request: Request, next: Next) -> Response {
    if is_odd(request.uri().path()) {
        return ApiError::new(ErrorCode::NotFound, "there is nothing under this address").into_response();
    }
    if !names_one_host(&request) {
        return ApiError::new(ErrorCode::Invalid, "there must be one Host header, with a host")
            .into_response();
    }
    next.run(request).await
}

/// RFC 9112 §3.2. HTTP/1.0 may leave the host out; HTTP/2 names it in the address.
fn names_one_host(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version() != Version::HTTP_11,
        (Some(host), None) => host.to_str().is_ok_and(is_host),
        (Some(_), Some(_)) => false,
    }
}

/// A host with or without a port. It is empty where the address has none, as in `OPTIONS *`.
fn is_host(host: &str) -> bool {
    host.is_empty() || Authority::parse(host).is_some()
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

/// An answer without a coding is always acceptable. The layer that compresses would refuse it (406) to whoever says
/// otherwise, when what was asked for is done already; RFC 9110 §12.5.3 leaves the choice to us.
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

/// Lets pages of other hosts read the answer. The library takes every OPTIONS for a preflight; one without Origin and
/// Access-Control-Request-Method is a question like any other (Fetch, "CORS protocol").
pub async fn let_pages_read(State(cors): State<CorsLayer>, request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS && !is_preflight(&request) {
        return next.run(request).await;
    }
    let Ok(response) = cors.layer(next).oneshot(request).await;
    response
}

fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Lets the pages of these origins use the API as the node's own does; nothing when there are none.
pub fn cors(origins: &[Origin]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> =
        origins.iter().filter_map(|origin| HeaderValue::try_from(origin.to_string()).ok()).collect();
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
        for path in ["/", "/some/page", "/a.b/..c", "/api/topics/probe:topic/events", "/%20", "/a..b"] {
            assert!(!is_odd(path), "{path}");
        }
    }
}
