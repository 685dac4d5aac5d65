//! What the headers ask for: which kind of answer (`Accept`, RFC 9110 §12.5.1), and how long to wait for it
//! (`Prefer`, RFC 7240).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use shared::endpoint;

use crate::http::accepted::{self, list};

/// What kind of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `application/json`; also what a caller gets who does not care.
    Page,
    /// `text/event-stream`, which must be asked for: `*/*` does not.
    Stream,
}

/// The kind that the caller likes best; nothing when both are refused.
pub fn kind(headers: &HeaderMap) -> Option<Kind> {
    if !headers.contains_key(ACCEPT) {
        return Some(Kind::Page);
    }
    let json = quality(headers, &["application/json", "application/*", "*/*"]);
    let stream = quality(headers, &["text/event-stream", "text/*"]);
    match (json, stream) {
        (_, stream) if stream > 0.0 && stream >= json => Some(Kind::Stream),
        (json, _) if json > 0.0 => Some(Kind::Page),
        _ => None,
    }
}

/// How much the caller likes the first of `names`, or else the first of the wider ones that is mentioned.
fn quality(headers: &HeaderMap, names: &[&str]) -> f32 {
    names.iter().find_map(|name| accepted::quality(headers, ACCEPT, name)).unwrap_or(0.0)
}

/// How many seconds a pull is to wait for an event, at most 60. What cannot be understood is ignored, as RFC 7240
/// asks.
pub fn wait_secs(headers: &HeaderMap) -> Option<u32> {
    let wait = list(headers, endpoint::PREFER).find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').to_owned())
    })?;
    let is_number = !wait.is_empty() && wait.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than fit are just a very long wait.
    let secs = is_number.then(|| wait.parse().unwrap_or(u32::MAX))?;
    (secs > 0).then(|| secs.min(endpoint::WAIT_SECS_MAX))
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
        let kind_of = |accept| kind(&with("accept", accept));
        assert_eq!(kind(&HeaderMap::new()), Some(Kind::Page));
        assert_eq!(kind_of("*/*"), Some(Kind::Page));
        assert_eq!(kind_of("text/event-stream"), Some(Kind::Stream));
        assert_eq!(kind_of("text/event-stream, */*;q=0.5"), Some(Kind::Stream));
        assert_eq!(kind_of("application/json, text/event-stream;q=0.9"), Some(Kind::Page));
        assert_eq!(kind_of("text/*"), Some(Kind::Stream));
        assert_eq!(kind_of("text/*, text/event-stream;q=0"), None);
        assert_eq!(kind_of("text/event-stream;Q=0.1, application/json;Q=0.2"), Some(Kind::Page));
        assert_eq!(kind_of("text/html"), None);
        assert_eq!(kind_of("application/json;q=0"), None);
    }

    #[test]
    fn a_wait_is_a_number_of_seconds_cut_to_a_minute_and_else_ignored() {
        let wait_of = |prefer| wait_secs(&with("prefer", prefer));
        assert_eq!(wait_of("wait=25"), Some(25));
        assert_eq!(wait_of("respond-async, Wait = 7"), Some(7));
        assert_eq!(wait_of("wait=61"), Some(60));
        assert_eq!(wait_of("wait=99999999999999999999"), Some(60));
        for ignored in ["wait=0", "wait=-1", "wait=soon", "wait=", "wait", "wait=1.5", "handling=strict"] {
            assert_eq!(wait_of(ignored), None, "{ignored}");
        }
    }
}
