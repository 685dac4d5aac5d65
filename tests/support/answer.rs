//! `Answer`: what the server said to one request.

use axum::http::HeaderMap;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use shared::{ErrorCode, Problem};

/// A whole HTTP response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

impl Answer {
    /// A header; empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("our headers are ASCII"))
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("our bodies are UTF-8")
    }

    /// The body as JSON, after a success.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body of a refusal, once everything that holds for each of them was checked.
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
        assert!(!problem.request_id.is_empty(), "no request id");
        assert_eq!(problem.request_id, self.header("x-request-id"));
        let retry_after = problem.retry_after_ms.map(|millis| millis.div_ceil(1_000).to_string());
        assert_eq!(self.header("retry-after"), retry_after.unwrap_or_default());
        let is_told_when = problem.retry_after_ms.is_some();
        assert_eq!(is_told_when, [429, 503].contains(&self.status), "when to ask again: {problem:?}");
        problem
    }

    /// Asserts a refusal with that code, whose detail holds every one of `words`.
    #[track_caller]
    pub fn is_refused(&self, code: ErrorCode, words: &[&str]) -> Problem {
        let problem = self.problem();
        assert_eq!(problem.code, code, "{problem:?}");
        for word in words {
            assert!(problem.detail.contains(word), "{:?} says nothing of {word:?}", problem.detail);
        }
        problem
    }
}
