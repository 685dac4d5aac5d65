//! What the headers ask for: which kind of answer (`Accept`, RFC 9110 §12.5.1), and how long to wait for it
//! (`Prefer`, RFC 7240).

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, HeaderName};
use shared::endpoint;

/// What kind of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `application/json`; also what a caller gets who does not care.
    Page,
    /// `text/event-stream`, which must be asked for by name.
    Stream,
}

/// The kind that the caller likes best; nothing when both are refused.
pub fn kind(headers: &HeaderMap) -> Option<Kind> {
    if !headers.contains_key(ACCEPT) {
        return Some(Kind::Page);
    }
    let json = quality(headers, &["application/json", "application/*", "*/*"]);
    let stream = quality(headers, &["text/event-stream"]);
    match (json, stream) {
        (_, stream) if stream > 0.0 && stream >= json => Some(Kind::Stream),
        (json, _) if json > 0.0 => Some(Kind::Page),
        _ => None,
    }
}

/// How much the caller likes the first of `names`, or else the first of the wider ones that is mentioned.
fn quality(headers: &HeaderMap, names: &[&str]) -> f32 {
    let quality_of = |name: &str| {
        list(headers, &ACCEPT).find_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let is_it = parts.next().is_some_and(|it| it.eq_ignore_ascii_case(name));
            let weight = parts.find_map(|parameter| parameter.strip_prefix("q="));
            is_it.then(|| weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
        })
    };
    names.iter().find_map(|name| quality_of(name)).unwrap_or(0.0)
}

/// How many seconds a pull is to wait for an event, at most 60. What cannot be understood is ignored, as RFC 7240
/// asks.
pub fn wait_secs(headers: &HeaderMap) -> Option<u32> {
    let wait = list(headers, &HeaderName::from_static("prefer")).find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').to_owned())
    })?;
    let is_number = !wait.is_empty() && wait.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than fit are just a very long wait.
    let secs = is_number.then(|| wait.parse().unwrap_or(u32::MAX))?;
    (secs > 0).then(|| secs.min(endpoint::WAIT_SECS_MAX))
}

fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn with(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))])
    }

    #[test]
    fn a_stream_must_be_asked_for_by_name() {
        let kind_of = |accept| kind(&with("accept", accept));
        assert_eq!(kind(&HeaderMap::new()), Some(Kind::Page));
        assert_eq!(kind_of("*/*"), Some(Kind::Page));
        assert_eq!(kind_of("text/event-stream"), Some(Kind::Stream));
        assert_eq!(kind_of("text/event-stream, */*;q=0.5"), Some(Kind::Stream));
        assert_eq!(kind_of("application/json, text/event-stream;q=0.9"), Some(Kind::Page));
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
