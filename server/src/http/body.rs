//! `Body`: the extractor of a JSON body, with errors that name the field.

use std::time::Duration;

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use contract::{Described, Operation};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use shared::{ErrorCode, Problem};
use tokio::time::timeout;

use crate::http::error::ApiError;
use crate::http::guard::client_ip::Peer;
use crate::http::state::AppState;

/// The time for a whole body: shorter than the one for an answer, so that a caller can tell the two apart.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// The body of a request whose content type is `application/json`.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Body<T>, ApiError> {
        if !request.headers().get(CONTENT_TYPE).is_some_and(|value| is_json(value.as_bytes())) {
            let detail = "the body must be JSON, with Content-Type: application/json";
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail));
        }
        let from = state.proxies.client(Peer::of(request.extensions()), request.headers());
        let _share =
            state.budget.take(from, announced_length(&request).min(state.limits.body_bytes_max as usize))?;
        let read = timeout(BODY_TIMEOUT, Bytes::from_request(request, state)).await;
        let read = read.map_err(|_| {
            let detail =
                format!("the body did not arrive within {} s; send it again", BODY_TIMEOUT.as_secs());
            ApiError::new(ErrorCode::TooSlow, detail)
        })?;
        let bytes = read.map_err(|rejection| unread(&rejection, state))?;
        // serde reads a list as an object whose fields come in order.
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            return Err(ApiError::new(ErrorCode::Invalid, "the body must be a JSON object"));
        }
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| invalid(&error))?;
        let after = json.end().map_err(|error| {
            ApiError::new(
                ErrorCode::Invalid,
                format!("the body must be one JSON object and nothing after it: {error}"),
            )
        });
        after.map(|()| Body(value))
    }
}

impl<T: JsonSchema> Described for Body<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.takes_body::<T>();
        operation.refuses(ErrorCode::Invalid);
        operation.refuses(ErrorCode::TooSlow);
        operation.refuses(ErrorCode::TooLarge);
        operation.refuses(ErrorCode::UnsupportedMediaType);
    }
}

/// Returns the announced length; `usize::MAX` if none is announced.
fn announced_length(request: &Request) -> usize {
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    announced.unwrap_or(usize::MAX)
}

/// True for `application/json`, with any parameters.
fn is_json(content_type: &[u8]) -> bool {
    let kind = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

fn unread(rejection: &BytesRejection, state: &AppState) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!(
            "too large for this server: the body may have at most {} bytes",
            state.limits.body_bytes_max
        );
        ApiError::new(ErrorCode::TooLarge, detail)
    } else {
        ApiError::new(ErrorCode::Invalid, "the body ended before it was complete")
    }
}

/// Names the field and its rule. serde names a missing field in the error alone, and any other in the path.
fn invalid(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let (path, inner) = (error.path().to_string(), error.inner().to_string());
    if error.inner().is_syntax() || error.inner().is_eof() {
        return ApiError::new(ErrorCode::Invalid, format!("the body is not valid JSON: {inner}"));
    }
    let missing = inner.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
    match missing {
        Some((field, _)) => Problem::invalid_field(field, "is missing").into(),
        None if path == "." => {
            ApiError::new(ErrorCode::Invalid, format!("the body does not have the expected form: {inner}"))
        }
        None => Problem::invalid_field(&path, format!("does not have the expected form: {inner}")).into(),
    }
}
