//! The plain request that follows a failed attempt at a socket, since browsers hide why a WebSocket failed.

use shared::{ErrorCode, Identity, Input, endpoint};

use crate::http;

/// Asks the node who is signed in. Tries once: the connection has its own rhythm of retries.
pub(super) async fn check_sign_in() -> Input {
    match http::get_json_once::<Option<Identity>>(endpoint::ME_FOR_SOCKET).await {
        Ok(Some(_)) => Input::SignedIn,
        Ok(None) => Input::SignedOut,
        Err(problem) => match (problem.code, problem.retry_after_ms) {
            (ErrorCode::TooMany | ErrorCode::Unavailable, Some(millis)) => check_without_socket(millis).await,
            _ => Input::NoAnswer,
        },
    }
}

/// Asks a node that has no socket to spare whether it serves plain requests.
async fn check_without_socket(retry_after_ms: u64) -> Input {
    match http::get_json_once::<Option<Identity>>(endpoint::ME).await {
        Ok(Some(_)) => Input::NoSocket(retry_after_ms),
        Ok(None) => Input::SignedOut,
        Err(_) => Input::RetryAfter(retry_after_ms),
    }
}
