//! `If-None-Match` (RFC 9110 §13.1.2): whether a caller has already what it would be sent.

use axum::http::HeaderMap;
use axum::http::header::IF_NONE_MATCH;

use crate::http::accepted::list;

/// The codings that proxies write behind a tag when they code the bytes themselves.
const CODINGS: [&str; 5] = ["gzip", "br", "zstd", "deflate", "compress"];

/// Whether one of the caller's tags is `tag`. They are compared weakly: bytes that differ only by their coding are
/// the same to a cache.
pub fn has(headers: &HeaderMap, tag: &str) -> bool {
    list(headers, IF_NONE_MATCH)
        .any(|known| known == "*" || (opaque(known).is_some() && opaque(known) == opaque(tag)))
}

/// The tag without the marks of weakness, and of a proxy that coded the bytes anew: `"a-gzip"`, `"a;br"`, `"a"-gzip`.
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

    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list_weak_or_strong() {
        let has = |known: &'static str| {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(known))]);
            has(&headers, "W/\"a\"")
        };
        for known in ["\"a\"", "W/\"a\"", "\"b\", W/\"a\"", "\"b\",\"a\"", "*"].into_iter().chain([
            "\"a-gzip\"",
            "W/\"a;br\"",
            "\"a--gzip\"",
            "W/\"a\"-gzip",
            "\"a-zstd\"",
        ]) {
            assert!(has(known), "{known}");
        }
        for known in ["", "a", "\"b\"", "w/\"a\"", "W/W/\"a\"", "\"A\"", "\"*\""] {
            assert!(!has(known), "{known}");
        }
    }
}
