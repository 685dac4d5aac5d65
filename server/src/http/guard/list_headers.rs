//! List headers, normalized for the rest of the node: one line each, in readable ASCII.
//!
//! A list may come in several lines (RFC 9110 §5.3), and other programs write into it too: a host's cookies are those of
//! all its apps. So the lines are joined, and an entry with other bytes than ASCII is left out alone.

use axum::extract::Request;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, COOKIE, FORWARDED, HeaderName, IF_NONE_MATCH,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// The lists that the node reads, with the separator of their entries.
const LISTS: [(HeaderName, u8); 11] = [
    (ACCEPT, b','),
    (ACCEPT_ENCODING, b','),
    (CONNECTION, b','),
    (COOKIE, b';'),
    (FORWARDED, b','),
    (IF_NONE_MATCH, b','),
    (HeaderName::from_static("prefer"), b','),
    (SEC_WEBSOCKET_EXTENSIONS, b','),
    (SEC_WEBSOCKET_PROTOCOL, b','),
    (UPGRADE, b','),
    (HeaderName::from_static("x-forwarded-for"), b','),
];

/// The lists of forwarded addresses, with the placeholder of an entry that cannot be read.
const FORWARDING: [(HeaderName, &[u8]); 2] =
    [(FORWARDED, b"for=unknown"), (HeaderName::from_static("x-forwarded-for"), b"unknown")];

/// Joins each list into one readable line, before anything reads it.
pub async fn join(mut request: Request, next: Next) -> Response {
    for (name, separator) in &LISTS {
        join_one(request.headers_mut(), name, *separator);
    }
    next.run(request).await
}

fn join_one(headers: &mut HeaderMap, name: &HeaderName, separator: u8) {
    let mut lines = headers.get_all(name).iter();
    let (first, second) = (lines.next(), lines.next());
    let is_good = first.is_none_or(|line| line.to_str().is_ok()) && second.is_none();
    if is_good {
        return;
    }
    let has_quotes = separator == b',' && name != "x-forwarded-for";
    let lines: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
    let entries: Vec<&[u8]> =
        lines.iter().flat_map(|line| entries(line.as_bytes(), separator, has_quotes)).collect();
    headers.remove(name);
    // A forwarded address must not vanish: an entry that the caller wrote would be believed in its place.
    let unreadable =
        FORWARDING.iter().find(|(forwarding, _)| forwarding == name).map(|(_, unknown)| *unknown);
    let kept = entries.into_iter().map(|entry| if is_readable(entry) { Some(entry) } else { unreadable });
    let readable: Vec<&[u8]> = kept.flatten().collect();
    let joined = readable.join(&[separator, b' '][..]);
    if let Some(line) = HeaderValue::from_bytes(&joined).ok().filter(|_| !readable.is_empty()) {
        headers.insert(name.clone(), line);
    }
}

/// Splits a line into its entries. A comma between quotation marks does not separate (RFC 9110 §5.6.4), unless they are
/// never closed. In cookies and `X-Forwarded-For`, quotation marks are characters like any other.
fn entries(line: &[u8], separator: u8, has_quotes: bool) -> Vec<&[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = line.split(|byte| {
        let separates = *byte == separator && !quoted;
        let toggles = *byte == b'"' && !escaped && has_quotes;
        escaped = *byte == b'\\' && quoted && !escaped;
        quoted ^= toggles;
        separates
    });
    let parts: Vec<&[u8]> = parts.map(<[u8]>::trim_ascii).filter(|entry| !entry.is_empty()).collect();
    if quoted { entries(line, separator, false) } else { parts }
}

fn is_readable(entry: &[u8]) -> bool {
    entry.iter().all(|byte| (b' '..=b'~').contains(byte) || *byte == b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(name: &HeaderName, separator: u8, lines: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_bytes(line).unwrap());
        }
        join_one(&mut headers, name, separator);
        assert!(headers.get_all(name).iter().count() <= 1);
        headers.get(name).map(|line| line.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_cookie_of_another_app_hides_none_of_ours() {
        let line = joined(&COOKIE, b';', &["city=München; duplex=t; x=1".as_bytes()]);
        assert_eq!(line.as_deref(), Some("duplex=t; x=1"));
        assert_eq!(joined(&COOKIE, b';', &[b"a=1", b"duplex=t"]).as_deref(), Some("a=1; duplex=t"));
        assert_eq!(joined(&COOKIE, b';', &[b"\xff"]), None);
        let quote = joined(&COOKIE, b';', &[b"a=\"; duplex=t; b=\xe9"]);
        assert_eq!(quote.as_deref(), Some("a=\"; duplex=t"));
    }

    #[test]
    fn the_lines_of_a_list_are_one_list() {
        let line = joined(&CONNECTION, b',', &[b"keep-alive", b"Upgrade"]);
        assert_eq!(line.as_deref(), Some("keep-alive, Upgrade"));
        let tags = joined(&IF_NONE_MATCH, b',', &[b"\"a,b\", \"\xe9\", \"c\\\"d\"", b"W/\"e\""]);
        assert_eq!(tags.as_deref(), Some("\"a,b\", \"c\\\"d\", W/\"e\""));
        assert_eq!(joined(&CONNECTION, b',', &[b"one, , line"]).as_deref(), Some("one, , line"));
    }

    #[test]
    fn nobody_hides_the_address_that_a_proxy_forwards() {
        let forwarded_for = HeaderName::from_static("x-forwarded-for");
        let line = joined(&forwarded_for, b',', &[b"\"\xff, 192.0.2.7"]);
        assert_eq!(line.as_deref(), Some("unknown, 192.0.2.7"));
        assert_eq!(joined(&forwarded_for, b',', &[b"\xff"]).as_deref(), Some("unknown"));
        let line = joined(&FORWARDED, b',', &[b"for=\"\xff, for=192.0.2.7"]);
        assert_eq!(line.as_deref(), Some("for=unknown, for=192.0.2.7"));
    }
}
