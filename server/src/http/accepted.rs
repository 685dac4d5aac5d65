//! What a caller accepts and how much it likes it, out of a list such as `Accept` or `Accept-Encoding`
//! (RFC 9110 §12.4.2).

use axum::http::header::AsHeaderName;
use axum::http::{HeaderMap, HeaderName};

/// The entries of a list header, over all its lines.
pub fn list<'a, K: AsHeaderName>(
    headers: &'a HeaderMap,
    name: K,
) -> impl Iterator<Item = &'a str> + use<'a, K> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// How much the caller likes `wanted`, from 0 (not at all) to 1; nothing when the list does not mention it.
pub fn quality(headers: &HeaderMap, name: HeaderName, wanted: &str) -> Option<f32> {
    list(headers, name).find_map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let is_it = parts.next().is_some_and(|it| it.eq_ignore_ascii_case(wanted));
        is_it.then(|| parts.find_map(weight).unwrap_or(1.0))
    })
}

/// Whether the list names `wanted`, and does not refuse it.
pub fn accepts(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    quality(headers, name, wanted).is_some_and(|quality| quality > 0.0)
}

/// The weight that a parameter is. One that cannot be read is a refusal.
fn weight(parameter: &str) -> Option<f32> {
    let (name, value) = parameter.split_once('=')?;
    let is_number = value.starts_with(['0', '1']);
    let number = || value.parse().ok().filter(|weight| is_number && (0.0..=1.0).contains(weight));
    name.trim().eq_ignore_ascii_case("q").then(|| number().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::ACCEPT_ENCODING;

    use super::*;

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
}
