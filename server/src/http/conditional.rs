//! `If-None-Match` (RFC 9110 §13.1.2): whether a caller has already what it would be sent.

use axum::http::HeaderMap;
use axum::http::header::IF_NONE_MATCH;

use crate::http::accepted::list;

/// Whether one of the caller's tags is `tag`. They are compared weakly: bytes that differ only by their coding are
/// the same to a cache.
pub fn has(headers: &HeaderMap, tag: &str) -> bool {
    list(headers, IF_NONE_MATCH).any(|known| known == "*" || opaque(known) == opaque(tag))
}

fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
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
        for known in ["\"a\"", "W/\"a\"", "\"b\", W/\"a\"", "\"b\",\"a\"", "*"] {
            assert!(has(known), "{known}");
        }
        for known in ["", "a", "\"b\"", "w/\"a\"", "W/W/\"a\"", "\"A\"", "\"*\""] {
            assert!(!has(known), "{known}");
        }
    }
}
