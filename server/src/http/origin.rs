//! Which hosts and origins are welcome: what keeps another site's page from using a person's cookie, and a
//! rebound DNS name from reaching a node that listens on loopback.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared::{ErrorCode, endpoint};

use crate::http::{ApiError, AppState, Refusal, Transport};

/// The rule of this node.
#[derive(Debug, Clone)]
pub struct Origins {
    allowed: Vec<String>,
    loopback_only: bool,
    /// A page of this host that came without TLS is not the node's own.
    tls_only: bool,
}

impl Origins {
    /// `allowed` beside the node's own; a node that only its own machine reaches takes any loopback origin, as when
    /// the page comes from a development server on another port. A node that speaks TLS for good, or whose proxy
    /// does, is reached under its own name, also where it listens on loopback.
    pub fn new(allowed: Vec<String>, listen: IpAddr, transport: Transport) -> Origins {
        let loopback_only = listen.is_loopback() && transport != Transport::Tls;
        Origins { allowed, loopback_only, tls_only: transport.is_secure() }
    }

    /// Those that were allowed beside the node's own.
    pub fn allowed(&self) -> &[String] {
        &self.allowed
    }

    fn check_host(&self, host: &str) -> Result<(), ApiError> {
        if self.loopback_only && !is_loopback(host) {
            let detail =
                "Host must be localhost or a loopback address, since this node listens on loopback only";
            return Err(ApiError::new(ErrorCode::Forbidden, detail));
        }
        Ok(())
    }

    /// A browser says where a request comes from; a script says nothing, and has no cookie to be misused.
    fn check_origin(&self, headers: &HeaderMap, host: &str) -> Result<(), ApiError> {
        let allowed = match (text(headers, ORIGIN.as_str()), text(headers, "sec-fetch-site")) {
            (Some(origin), _) => self.allows(origin, host),
            (None, Some(site)) => site == "same-origin" || site == "none",
            (None, None) => !headers.contains_key(ORIGIN),
        };
        if allowed {
            return Ok(());
        }
        let detail = "Origin must be this host or one that the node was given with --allow-origin";
        Err(ApiError::new(ErrorCode::Forbidden, detail))
    }

    fn allows(&self, origin: &str, host: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        let from = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let own = from.is_some_and(|from| from.eq_ignore_ascii_case(host))
            && (!self.tls_only || origin.starts_with("https://"));
        let local = self.loopback_only && from.is_some_and(is_loopback);
        own || local || self.allowed.contains(&origin)
    }
}

/// Lets a request pass, or answers it with 403.
pub async fn check(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // An address that names the host counts more than the field (RFC 9112 §3.2.2), which HTTP/2 does without.
    let named = request.uri().authority().map(|authority| authority.as_str());
    let host = named.or(text(headers, HOST.as_str())).unwrap_or("");
    let checked = app.origins.check_host(host).and_then(|()| {
        if reads && request.uri().path() != endpoint::SOCKET {
            Ok(())
        } else {
            app.origins.check_origin(headers, host)
        }
    });
    match checked {
        Ok(()) => next.run(request).await,
        Err(error) => {
            app.meters.refused(Refusal::Origin);
            error.into_response()
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether `authority` (a host, with or without a port) names this machine itself.
fn is_loopback(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or(rest)),
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for authority in ["localhost", "LOCALHOST:3000", "127.0.0.1:1", "127.8.8.8", "[::1]:3000", "[::1]"] {
            assert!(is_loopback(authority), "{authority}");
        }
        for authority in [
            "",
            "example.org",
            "localhost.example.org",
            "localhost:80.example.org",
            "10.0.0.1",
            "[::2]",
            "::1",
        ] {
            assert!(!is_loopback(authority), "{authority}");
        }
    }

    #[test]
    fn an_origin_is_welcome_when_it_is_the_host_itself_or_was_given() {
        let public = Origins::new(
            vec!["https://app.example.org".into()],
            "0.0.0.0".parse().unwrap(),
            Transport::Plain,
        );
        assert!(public.allows("https://www.example.org", "www.example.org"));
        assert!(public.allows("https://app.example.org", "www.example.org"));
        for origin in
            ["null", "https://example.org", "http://localhost:8080", "https://www.example.org.evil.org"]
        {
            assert!(!public.allows(origin, "www.example.org"), "{origin}");
        }
    }

    #[test]
    fn under_tls_a_page_without_it_is_foreign() {
        let own = Origins::new(Vec::new(), "0.0.0.0".parse().unwrap(), Transport::Tls);
        assert!(own.allows("https://www.example.org", "www.example.org"));
        assert!(!own.allows("http://www.example.org", "www.example.org"));
    }

    #[test]
    fn on_loopback_other_names_are_foreign_unless_tls_vouches_for_them() {
        let on_loopback = |transport| Origins::new(Vec::new(), "127.0.0.1".parse().unwrap(), transport);
        for (transport, welcome) in
            [(Transport::Plain, false), (Transport::LocalTls, false), (Transport::Tls, true)]
        {
            assert_eq!(
                on_loopback(transport).check_host("www.example.org").is_ok(),
                welcome,
                "{transport:?}"
            );
        }
    }
}
