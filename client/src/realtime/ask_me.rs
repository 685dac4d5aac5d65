//! What a plain request tells after an attempt at a socket that came to nothing: browsers hide why.

use shared::{ErrorCode, Identity, Input, endpoint};

use crate::http;

/// Asks who is signed in. One attempt: the connection has a rhythm of its own.
pub(super) async fn ask_me() -> Input {
    match http::get_json_once::<Option<Identity>>(endpoint::ME_FOR_SOCKET).await {
        Ok(Some(_)) => Input::SignedIn,
        Ok(None) => Input::SignedOut,
        Err(problem) => match (problem.code, problem.retry_after_ms) {
            (ErrorCode::TooMany | ErrorCode::Unavailable, Some(millis)) => Input::RetryAfter(millis),
            _ => Input::NoAnswer,
        },
    }
}
