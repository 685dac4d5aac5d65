//! What a plain request tells after an attempt at a socket that came to nothing: browsers hide why.

use shared::{ErrorCode, Identity, Input, endpoint};

use crate::http;

/// Asks who is signed in. One attempt: the connection has a rhythm of its own.
pub(super) async fn check_sign_in() -> Input {
    match http::get_json_once::<Option<Identity>>(endpoint::ME_FOR_SOCKET).await {
        Ok(Some(_)) => Input::SignedIn,
        Ok(None) => Input::SignedOut,
        Err(problem) => match (problem.code, problem.retry_after_ms) {
            (ErrorCode::TooMany | ErrorCode::Unavailable, Some(millis)) => ask_without_socket(millis).await,
            _ => Input::NoAnswer,
        },
    }
}

/// Asks whether a node that has no socket for us serves plain requests all the same.
async fn ask_without_socket(retry_after_ms: u64) -> Input {
    match http::get_json_once::<Option<Identity>>(endpoint::ME).await {
        Ok(Some(_)) => Input::NoSocket(retry_after_ms),
        Ok(None) => Input::SignedOut,
        Err(_) => Input::RetryAfter(retry_after_ms),
    }
}
