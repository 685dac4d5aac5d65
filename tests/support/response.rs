//! `TestResponse`: the answer of the server to one request.

use axum::http::HeaderMap;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use shared::{ErrorCode, Problem};

/// A complete HTTP response.
#[derive(Debug, Clone)]
pub struct TestResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl TestResponse {
    /// Returns the value of a header, or an empty string if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("the server's headers are ASCII"))
    }

    /// Returns the body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the server's bodies are UTF-8")
    }

    /// Asserts success, and reads the body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Reads the body of a refusal, and asserts everything that holds for all refusals.
    pub fn problem(&self) -> Problem {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}: {}",
            self.status,
            self.text()
        );
        let problem: Problem = serde_json::from_slice(&self.body).expect("a problem");
        assert_eq!(problem.status, self.status);
        assert_eq!(problem.code.status(), self.status);
        assert_eq!(problem.kind, "about:blank");
        assert_eq!(problem.title, problem.code.title());
        assert!(!problem.request_id.is_empty(), "the problem has no request id");
        assert_eq!(problem.request_id, self.header("x-request-id"));
        let retry_after = problem.retry_after_ms.map(|millis| millis.div_ceil(1_000).to_string());
        assert_eq!(self.header("retry-after"), retry_after.unwrap_or_default());
        let says_when_to_retry = problem.retry_after_ms.is_some();
        let must_say_when_to_retry = [429, 503].contains(&self.status);
        assert_eq!(says_when_to_retry, must_say_when_to_retry, "retry_after_ms: {problem:?}");
        problem
    }

    /// Asserts a refusal with this code, whose detail contains all `words`.
    #[track_caller]
    pub fn is_refused(&self, code: ErrorCode, words: &[&str]) -> Problem {
        let problem = self.problem();
        assert_eq!(problem.code, code, "{problem:?}");
        for word in words {
            assert!(problem.detail.contains(word), "{:?} does not contain {word:?}", problem.detail);
        }
        problem
    }
}
