//! Headers that are lists, as the rest of the node reads them: one line each, in which everything can be read.
//!
//! A list may come in several lines (RFC 9110 §5.3), and other programs write into it too: the cookies of a host are
//! those of all its apps. So a caller's lines are joined, and an entry with bytes that are not ASCII is left out, not
//! everything around it.

use axum::extract::Request;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, COOKIE, FORWARDED, HeaderName, IF_NONE_MATCH,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// The lists that something here reads, and what stands between their entries.
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

/// Makes one readable line of each list, before anything reads it.
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
    let lines: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
    let entries: Vec<&[u8]> = lines.iter().flat_map(|line| entries(line.as_bytes(), separator)).collect();
    headers.remove(name);
    let readable: Vec<&[u8]> = entries.into_iter().filter(|entry| is_readable(entry)).collect();
    let joined = readable.join(&[separator, b' '][..]);
    if let Some(line) = HeaderValue::from_bytes(&joined).ok().filter(|_| !readable.is_empty()) {
        headers.insert(name.clone(), line);
    }
}

/// The entries of a line. A comma between quotation marks separates nothing (RFC 9110 §5.6.4); to cookies, these are
/// characters like any other (RFC 6265 §5.4).
fn entries(line: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = line.split(|byte| {
        let separates = *byte == separator && !quoted;
        let toggles = *byte == b'"' && !escaped && separator == b',';
        escaped = *byte == b'\\' && quoted && !escaped;
        quoted ^= toggles;
        separates
    });
    parts.map(<[u8]>::trim_ascii).filter(|entry| !entry.is_empty()).collect()
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
        let told = joined(&COOKIE, b';', &["city=München; duplex=t; x=1".as_bytes()]);
        assert_eq!(told.as_deref(), Some("duplex=t; x=1"));
        assert_eq!(joined(&COOKIE, b';', &[b"a=1", b"duplex=t"]).as_deref(), Some("a=1; duplex=t"));
        assert_eq!(joined(&COOKIE, b';', &[b"\xff"]), None);
        let quote = joined(&COOKIE, b';', &[b"a=\"; duplex=t; b=\xe9"]);
        assert_eq!(quote.as_deref(), Some("a=\"; duplex=t"));
    }

    #[test]
    fn the_lines_of_a_list_are_one_list() {
        let told = joined(&CONNECTION, b',', &[b"keep-alive", b"Upgrade"]);
        assert_eq!(told.as_deref(), Some("keep-alive, Upgrade"));
        let tags = joined(&IF_NONE_MATCH, b',', &[b"\"a,b\", \"\xe9\", \"c\\\"d\"", b"W/\"e\""]);
        assert_eq!(tags.as_deref(), Some("\"a,b\", \"c\\\"d\", W/\"e\""));
        assert_eq!(joined(&CONNECTION, b',', &[b"one, , line"]).as_deref(), Some("one, , line"));
    }
}
