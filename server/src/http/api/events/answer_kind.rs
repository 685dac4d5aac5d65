//! `AnswerKind`: a page or a stream, as the `Accept` header asks (RFC 9110 §12.5.1).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

use crate::http::negotiation;

/// The kind of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    /// `application/json`; also for a caller that does not say.
    Page,
    /// `text/event-stream`, only for a caller that names it: `*/*` does not.
    Stream,
}

/// Returns the kind that the caller likes best; `None` if it refuses both.
pub fn answer_kind(headers: &HeaderMap) -> Option<AnswerKind> {
    if !headers.contains_key(ACCEPT) {
        return Some(AnswerKind::Page);
    }
    let json = quality(headers, &["application/json", "application/*", "*/*"]);
    let stream = quality(headers, &["text/event-stream", "text/*"]);
    match (json, stream) {
        (_, stream) if stream > 0.0 && stream >= json => Some(AnswerKind::Stream),
        (json, _) if json > 0.0 => Some(AnswerKind::Page),
        _ => None,
    }
}

/// Returns the weight of the first of `names` that the caller mentions; the later ones are wider.
fn quality(headers: &HeaderMap, names: &[&str]) -> f32 {
    names.iter().find_map(|name| negotiation::quality(headers, ACCEPT, name)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn with(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))])
    }

    #[test]
    fn a_stream_must_be_asked_for() {
        let kind_of = |accept| answer_kind(&with("accept", accept));
        assert_eq!(answer_kind(&HeaderMap::new()), Some(AnswerKind::Page));
        assert_eq!(kind_of("*/*"), Some(AnswerKind::Page));
        assert_eq!(kind_of("text/event-stream"), Some(AnswerKind::Stream));
        assert_eq!(kind_of("text/event-stream, */*;q=0.5"), Some(AnswerKind::Stream));
        assert_eq!(kind_of("application/json, text/event-stream;q=0.9"), Some(AnswerKind::Page));
        assert_eq!(kind_of("text/*"), Some(AnswerKind::Stream));
        assert_eq!(kind_of("text/*, text/event-stream;q=0"), None);
        assert_eq!(kind_of("text/event-stream;Q=0.1, application/json;Q=0.2"), Some(AnswerKind::Page));
        assert_eq!(kind_of("text/html"), None);
        assert_eq!(kind_of("application/json;q=0"), None);
    }
}
