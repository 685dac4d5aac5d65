//! Requests that may mean one thing to the node and another to a proxy. They are refused before any handler reads them.

use axum::extract::Request;
use axum::http::Version;
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared::ErrorCode;

use crate::http::error::ApiError;
use crate::net::authority::Authority;

/// Parts that a path may not have: a router takes them for letters, and the next decoder for a slash or an end.
const AMBIGUOUS: [&str; 5] = ["%00", "%2f", "%5c", "\\", "//"];

/// Refuses a path that hides a slash or a step behind a decoder (404), and a request that does not name one host (400).
pub async fn refuse_ambiguous(request: Request, next: Next) -> Response {
    if is_ambiguous(request.uri().path()) {
        return ApiError::new(ErrorCode::NotFound, "there is nothing under this address").into_response();
    }
    if !names_one_host(&request) {
        let detail = "there must be one Host header, with a host";
        return ApiError::new(ErrorCode::Invalid, detail).into_response();
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

/// True for a host with or without a port. It is empty if the address has none, as in `OPTIONS *`.
fn is_host(host: &str) -> bool {
    host.is_empty() || Authority::parse(host).is_some()
}

fn is_ambiguous(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let steps_up = path.split('/').any(|part| matches!(part.replace("%2e", ".").as_str(), "." | ".."));
    !path.starts_with('/') || steps_up || AMBIGUOUS.iter().any(|part| path.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_hides_a_slash_or_a_step_is_ambiguous() {
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
            assert!(is_ambiguous(path), "{path}");
        }
        for path in ["/", "/some/page", "/a.b/..c", "/api/topics/probe:topic/events", "/%20", "/a..b"] {
            assert!(!is_ambiguous(path), "{path}");
        }
    }
}
