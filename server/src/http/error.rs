//! `ApiError`: every refusal and failure as `application/problem+json` (RFC 9457). The errors of the engine and of the
//! accounts are mapped here, and nowhere else. Causes stay in the node's log.

use std::any::Any;

use axum::Json;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, UPGRADE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use contract::{Described, Operation};
use realtime::{AppendError, Ending, LogError, PublishError, ReadError, SubscribeError};
use shared::{CloseReason, ErrorCode, Malformed, Problem, endpoint};

use crate::accounts::AccountsError;
use crate::http::request_id;

/// The content type of a problem.
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// The time after which to try again when a failure is likely to pass.
const RETRY_AFTER_MS: u64 = 1_000;

/// The error of a handler.
#[derive(Debug)]
pub struct ApiError(Box<Problem>);

impl ApiError {
    /// Creates an error with that code; `detail` says what to do.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> ApiError {
        Problem::new(code, detail).into()
    }

    /// Creates an `invalid` error for a field that breaks its grammar.
    pub fn field(field: &str, error: Malformed) -> ApiError {
        Problem::invalid_field(field, error.0).into()
    }

    /// Creates an `unavailable` error, with a time to try again.
    pub fn unavailable(detail: &str) -> ApiError {
        Problem::new(ErrorCode::Unavailable, detail).retry_after_ms(RETRY_AFTER_MS).into()
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> ApiError {
        ApiError(Box::new(problem))
    }
}

/// The answer to a caller that is sent away while it waits.
impl From<Ending> for ApiError {
    fn from(ending: Ending) -> ApiError {
        match ending {
            Ending::Close(CloseReason::TryAgainLater) => {
                ApiError::unavailable("the server is short of memory; try again later")
            }
            Ending::Close(_) => {
                ApiError::new(ErrorCode::Unauthenticated, "you have been signed out; sign in again")
            }
            Ending::Drain { reconnect_after_ms } => {
                let detail = "the server is restarting; try again in a moment";
                Problem::new(ErrorCode::Unavailable, detail).retry_after_ms(reconnect_after_ms).into()
            }
        }
    }
}

impl From<PublishError> for ApiError {
    fn from(error: PublishError) -> ApiError {
        match error {
            PublishError::TooLarge { .. } => ApiError::new(ErrorCode::TooLarge, error.to_string()),
            PublishError::Append(AppendError::KeyReused) => ApiError::new(
                ErrorCode::KeyReused,
                "this Idempotency-Key was used for something else; use a new key for each publish",
            ),
            PublishError::Busy => ApiError::unavailable("the server is busy; try again with the same key"),
            // The write probe has logged the cause.
            PublishError::Append(AppendError::Unavailable(_)) => {
                ApiError::unavailable("the log cannot be written at the moment; try again with the same key")
            }
        }
    }
}

impl From<SubscribeError> for ApiError {
    fn from(error: SubscribeError) -> ApiError {
        error.problem().into()
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> ApiError {
        match error {
            ReadError::Refused(refused) => refused.into(),
            ReadError::Log(error) => error.into(),
        }
    }
}

impl From<LogError> for ApiError {
    fn from(error: LogError) -> ApiError {
        tracing::error!(%error, "the log cannot be read");
        ApiError::unavailable("the log cannot be read at the moment")
    }
}

impl From<AccountsError> for ApiError {
    fn from(error: AccountsError) -> ApiError {
        tracing::error!(%error, "accounts cannot be read or written");
        ApiError::unavailable("sign-ins cannot be read or written at the moment; try again")
    }
}

impl Described for ApiError {
    fn describe(_operation: &mut Operation<'_>) {}
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut problem = self.0;
        problem.request_id = request_id::current();
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(CONTENT_TYPE, PROBLEM_JSON)], Json(&problem)).into_response();
        if let Some(millis) = problem.retry_after_ms {
            // The header has whole seconds, rounded up so that nobody comes too early.
            response.headers_mut().insert(RETRY_AFTER, millis.div_ceil(1_000).into());
        }
        if problem.code == ErrorCode::UpgradeRequired {
            // RFC 9110 §15.5.22. The library leaves them out over HTTP/2, where a socket is opened with CONNECT.
            response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        }
        response
    }
}

/// Returns the problem for a status that a library answered with.
pub fn of_status(status: StatusCode) -> ApiError {
    let code = ErrorCode::ALL.iter().find(|code| code.status() == status.as_u16()).copied();
    match code {
        Some(ErrorCode::NotFound) => {
            ApiError::new(ErrorCode::NotFound, "there is nothing under this address")
        }
        Some(ErrorCode::MethodNotAllowed) => ApiError::new(
            ErrorCode::MethodNotAllowed,
            "this address accepts only the methods in the Allow header",
        ),
        Some(code) => ApiError::new(code, "the request could not be read"),
        None if status.is_client_error() => {
            ApiError::new(ErrorCode::Invalid, "the request could not be read")
        }
        None => ApiError::new(
            ErrorCode::Internal,
            "something went wrong on the server; its log has more under the request id",
        ),
    }
}

/// True for an address of the API or the socket, where every error is a problem.
pub fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/") || path == endpoint::SOCKET
}

/// Answers for a handler that panicked, which is a defect of this program.
pub fn on_panic(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    tracing::error!(message, "a handler panicked");
    of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}
