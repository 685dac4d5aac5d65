//! CORS: the pages of other origins that may use the API (Fetch, "CORS protocol").

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LOCATION, ORIGIN,
    RETRY_AFTER,
};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use shared::endpoint;
use tower::{Layer, ServiceExt};
use tower_http::cors::CorsLayer;

use crate::net::authority::Origin;

/// The time for which a browser may remember the permissions of a page.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// Builds the layer that lets the pages of these origins use the API as the node's own do; `None` without origins.
pub fn cors(origins: &[Origin]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> =
        origins.iter().filter_map(|origin| HeaderValue::try_from(origin.to_string()).ok()).collect();
    let accepted = [endpoint::IDEMPOTENCY_KEY, endpoint::PREFER, endpoint::LAST_EVENT_ID].map(named);
    let exposed = [endpoint::IDEMPOTENCY_REPLAYED, endpoint::PREFERENCE_APPLIED, "x-request-id"].map(named);
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(accepted.into_iter().chain([CONTENT_TYPE, IF_NONE_MATCH]).collect::<Vec<_>>())
        .expose_headers(exposed.into_iter().chain([ETAG, LOCATION, RETRY_AFTER]).collect::<Vec<_>>())
        .allow_credentials(true)
        .max_age(MAX_AGE);
    (!origins.is_empty()).then(|| layer.allow_origin(origins))
}

/// Applies the layer to everything but a plain OPTIONS. The library takes every OPTIONS for a preflight; one without
/// Origin and Access-Control-Request-Method is a request like any other.
pub async fn cors_without_plain_options(
    State(cors): State<CorsLayer>,
    request: Request,
    next: Next,
) -> Response {
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

fn named(header: &'static str) -> HeaderName {
    HeaderName::try_from(header).expect("our own names are well formed")
}
