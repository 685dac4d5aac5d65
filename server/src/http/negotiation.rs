//! The headers by which a caller chooses its answer: `Accept` and its like (RFC 9110 §12.4.2), `Prefer` (RFC 7240) and
//! `If-None-Match` (RFC 9110 §13.1.2).

use axum::http::header::{AsHeaderName, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName};
use shared::endpoint;

/// Returns the entries of a list header, from all its lines.
pub fn list<'a, K: AsHeaderName>(
    headers: &'a HeaderMap,
    name: K,
) -> impl Iterator<Item = &'a str> + use<'a, K> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Returns the weight of `wanted` in a list, from 0 (refused) to 1; `None` if the list does not name it.
pub fn quality(headers: &HeaderMap, name: HeaderName, wanted: &str) -> Option<f32> {
    list(headers, name).find_map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let is_it = parts.next().is_some_and(|it| it.eq_ignore_ascii_case(wanted));
        is_it.then(|| parts.find_map(weight).unwrap_or(1.0))
    })
}

/// True if the list names `wanted`, and does not refuse it.
pub fn accepts(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    quality(headers, name, wanted).is_some_and(|quality| quality > 0.0)
}

/// Reads a parameter that is a weight. One that cannot be read is a refusal.
fn weight(parameter: &str) -> Option<f32> {
    let (name, value) = parameter.split_once('=')?;
    let is_number = value.starts_with(['0', '1']);
    let number = || value.parse().ok().filter(|weight| is_number && (0.0..=1.0).contains(weight));
    name.trim().eq_ignore_ascii_case("q").then(|| number().unwrap_or(0.0))
}

/// Returns the seconds that a pull is to wait for an event, at most 60. A preference that cannot be understood is ignored,
/// as RFC 7240 demands.
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

/// The codings that proxies write behind a tag when they compress the bytes themselves.
const CODINGS: [&str; 5] = ["gzip", "br", "zstd", "deflate", "compress"];

/// True if one of the caller's tags is `tag`. They are compared weakly: bytes that differ only by their coding are the same
/// to a cache.
pub fn has_tag(headers: &HeaderMap, tag: &str) -> bool {
    list(headers, IF_NONE_MATCH)
        .any(|known| known == "*" || (opaque(known).is_some() && opaque(known) == opaque(tag)))
}

/// Strips the marks of weakness, and of a proxy that compressed the bytes itself: `"a-gzip"`, `"a;br"`, `"a"-gzip`. The
/// crate `headers` compares tags without that.
fn opaque(tag: &str) -> Option<&str> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?;
    let (inner, after) = tag.rsplit_once('"')?;
    let is_mark = |text: &str| CODINGS.contains(&text.trim_start_matches(['-', ';']));
    if !after.is_empty() {
        return is_mark(after).then_some(inner);
    }
    let at = inner.rfind(['-', ';']).filter(|at| is_mark(&inner[*at..]));
    Some(at.map_or(inner, |at| inner[..at].trim_end_matches(['-', ';'])))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::ACCEPT_ENCODING;

    use super::*;

    fn with(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))])
    }

    #[test]
    fn a_coding_is_accepted_when_it_is_named_with_any_weight_but_zero() {
        let accepts_brotli = |list: &'static str| {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(list))]);
            accepts(&headers, ACCEPT_ENCODING, "br")
        };
        for list in ["br", "gzip, br", "BR", "br;q=0.001", "br; Q=1", "gzip;q=0,br;x=0"] {
            assert!(accepts_brotli(list), "{list}");
        }
        for list in [
            "",
            "gzip",
            "*",
            "br;q=0",
            "br;q=0.000",
            "br;Q=0",
            "br ; q=0.0",
            "br;q=no",
            "br;q=inf",
            "br;q=+1",
            "brotli",
        ] {
            assert!(!accepts_brotli(list), "{list}");
        }
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

    #[test]
    fn a_tag_is_found_in_a_list_weak_or_strong() {
        let is_known = |known: &'static str| {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(known))]);
            has_tag(&headers, "W/\"a\"")
        };
        for known in ["\"a\"", "W/\"a\"", "\"b\", W/\"a\"", "\"b\",\"a\"", "*"].into_iter().chain([
            "\"a-gzip\"",
            "W/\"a;br\"",
            "\"a--gzip\"",
            "W/\"a\"-gzip",
            "\"a-zstd\"",
        ]) {
            assert!(is_known(known), "{known}");
        }
        for known in ["", "a", "\"b\"", "w/\"a\"", "W/W/\"a\"", "\"A\"", "\"*\""] {
            assert!(!is_known(known), "{known}");
        }
    }
}
