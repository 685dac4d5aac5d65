//! The router of the second, plain address: it only redirects to the one that speaks TLS.

use axum::Router;
use axum::extract::Request;
use axum::http::header::{HOST, LOCATION};
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

/// Sends every request to the same path on `port` of the same host (308, which keeps method and body).
pub fn to_tls(port: u16) -> Router {
    Router::new().fallback(move |request: Request| async move { answer(&request, port) })
}

fn answer(request: &Request, port: u16) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    match host.and_then(|host| location(host, port, request.uri())) {
        Some(location) => (StatusCode::PERMANENT_REDIRECT, [(LOCATION, location)]).into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn location(host: &str, port: u16, uri: &Uri) -> Option<String> {
    let authority: Authority = host.parse().ok()?;
    let host = authority.host();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Some(if port == 443 { format!("https://{host}{path}") } else { format!("https://{host}:{port}{path}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_path_stay_and_the_port_is_the_one_that_speaks_tls() {
        let uri = Uri::from_static("/some/page?x=1");
        let to = |host, port| location(host, port, &uri);
        assert_eq!(to("example.org", 443).unwrap(), "https://example.org/some/page?x=1");
        assert_eq!(to("example.org:80", 8443).unwrap(), "https://example.org:8443/some/page?x=1");
        assert_eq!(to("[::1]:80", 443).unwrap(), "https://[::1]/some/page?x=1");
        assert_eq!(to("a b", 443), None);
    }
}
