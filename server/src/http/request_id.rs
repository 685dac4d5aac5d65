//! The id of a request, which its log lines and its problem document carry.

use crate::random::random_text;

const ID_CHARS: usize = 16;

tokio::task_local! {
    static ID: String;
}

/// Returns the id of the request that this task answers; empty elsewhere.
pub fn current() -> String {
    ID.try_with(Clone::clone).unwrap_or_default()
}

/// Creates the id of a new request.
pub fn new() -> String {
    random_text(ID_CHARS)
}

/// Answers a request under its id.
pub async fn scope<T>(id: String, answer: impl Future<Output = T>) -> T {
    ID.scope(id, answer).await
}
