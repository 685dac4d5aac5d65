//! `Origins`: the hosts and origins that are allowed. This keeps another site's page from using a person's cookie, and a
//! rebound DNS name from reaching a node that listens on loopback.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared::{ErrorCode, endpoint};

use crate::http::error::ApiError;
use crate::http::guard::client_ip::{Peer, Proxies};
use crate::net::Transport;
use crate::net::authority::{Authority, Origin};
use crate::telemetry::edge_metrics::{EdgeMetrics, Refusal};

/// Characters of a caller's header that an error repeats.
const QUOTED_CHARS_MAX: usize = 100;

/// The hosts and origins that this node allows.
#[derive(Debug, Clone)]
pub struct Origins {
    allowed: Vec<Origin>,
    /// The address that people see, if it was given.
    public: Option<Origin>,
    loopback_only: bool,
    /// True if a page of this host that came without TLS is not the node's own.
    tls_only: bool,
}

/// The target of a request.
struct Target<'a> {
    host: &'a str,
    /// True if a trusted proxy passed the request on.
    by_proxy: bool,
}

impl Origins {
    /// Allows the origins in `allowed`, the `public` one and the node's own. A node that only its own machine can reach also
    /// allows any loopback origin, because a development server serves the page from another port. A node with a real
    /// certificate, its own or its proxy's, is reached under a name, even if it listens on loopback.
    pub fn new(
        allowed: Vec<Origin>,
        public: Option<Origin>,
        listen: IpAddr,
        transport: Transport,
    ) -> Origins {
        let loopback_only = listen.is_loopback() && transport != Transport::Tls;
        Origins { allowed, public, loopback_only, tls_only: transport.is_secure() }
    }

    /// The origins that were allowed beside the node's own.
    pub fn allowed(&self) -> &[Origin] {
        &self.allowed
    }

    fn check_host(&self, host: &str) -> Result<(), ApiError> {
        let authority = Authority::parse(host);
        let is_known = authority.is_some_and(|host| {
            let is_public = self.public.as_ref().is_some_and(|public| public.authority().is_host_of(&host));
            host.is_loopback() || is_public
        });
        if self.loopback_only && !is_known {
            let host = quoted(host);
            let detail = format!(
                "Host {host:?} is not this machine, and the node listens on loopback only; if people reach it \
                 under that name, start it with --public-url and their address, such as https://{host}"
            );
            return Err(ApiError::new(ErrorCode::Forbidden, detail));
        }
        Ok(())
    }

    /// Checks the origin. A browser sends `Origin` or `Sec-Fetch-Site`; a script sends neither, and has no cookie to be
    /// misused.
    fn check_origin(&self, headers: &HeaderMap, to: &Target<'_>) -> Result<(), ApiError> {
        let origin = text(headers, ORIGIN.as_str());
        let allowed = match (origin, text(headers, "sec-fetch-site")) {
            (Some(origin), _) => Origin::parse(origin).is_some_and(|origin| self.allows(&origin, to)),
            (None, Some(site)) => site == "same-origin" || site == "none",
            (None, None) => !headers.contains_key(ORIGIN),
        };
        if allowed {
            return Ok(());
        }
        Err(ApiError::new(ErrorCode::Forbidden, self.refusal(origin.map(quoted), quoted(to.host))))
    }

    fn allows(&self, origin: &Origin, to: &Target<'_>) -> bool {
        let host = Authority::parse(to.host);
        let is_at = |host: &Authority| {
            // Every tutorial for nginx passes on the host without its port.
            let lost_its_port = to.by_proxy
                && self.public.is_none()
                && host.has_no_port()
                && origin.authority().is_host_of(host);
            origin.is_at(host) || lost_its_port
        };
        let own = host.as_ref().is_some_and(is_at) && (!self.tls_only || origin.is_secure());
        let local = self.loopback_only
            && origin.authority().is_loopback()
            && host.is_some_and(|host| host.is_loopback());
        own || local || self.public.as_ref() == Some(origin) || self.allowed.contains(origin)
    }

    /// Describes a refusal: both values, and the line to change.
    fn refusal(&self, origin: Option<String>, host: String) -> String {
        match origin.as_deref().and_then(Origin::parse) {
            Some(origin) if self.tls_only && !origin.is_secure() => {
                format!(
                    "Origin {origin:?} is without TLS, and this node is reached with TLS only",
                    origin = origin.to_string()
                )
            }
            Some(origin) => format!(
                "Origin \"{origin}\" is not at Host {host:?}; if people see the address {origin}, have the proxy \
                 pass their host on (nginx: proxy_set_header Host $http_host;) or start the node with --public-url \
                 {origin}; a page of another host needs --allow-origin {origin}"
            ),
            None => format!(
                "Origin {:?} is not at Host {host:?}; only pages of this node, and of those that it was given with \
                 --allow-origin, may ask this",
                origin.unwrap_or_default()
            ),
        }
    }
}

/// Lets a request pass, or answers it with 403.
pub async fn check(
    State(origins): State<Arc<Origins>>,
    State(proxies): State<Proxies>,
    State(metrics): State<EdgeMetrics>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // A host in the request target wins over the header (RFC 9112 §3.2.2), which HTTP/2 does without.
    let named = request.uri().authority().map(|authority| authority.as_str());
    let host = named.or(text(headers, HOST.as_str())).unwrap_or("");
    let to = Target { host, by_proxy: proxies.trusts(Peer::of(request.extensions()).ip()) };
    let checked = origins.check_host(host).and_then(|()| {
        if reads && request.uri().path() != endpoint::SOCKET {
            Ok(())
        } else {
            origins.check_origin(headers, &to)
        }
    });
    match checked {
        Ok(()) => next.run(request).await,
        Err(error) => {
            metrics.refused(Refusal::Origin);
            error.into_response()
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn quoted(text: &str) -> String {
    text.chars().take(QUOTED_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    fn allows(origins: &Origins, from: &str, host: &str, by_proxy: bool) -> bool {
        origins.allows(&origin(from), &Target { host, by_proxy })
    }

    fn public(allowed: &[&str], transport: Transport) -> Origins {
        let allowed = allowed.iter().map(|text| origin(text)).collect();
        Origins::new(allowed, None, "0.0.0.0".parse().unwrap(), transport)
    }

    #[test]
    fn an_origin_is_welcome_when_it_is_the_host_itself_or_was_given() {
        let node = public(&["https://app.example.org"], Transport::Plain);
        assert!(allows(&node, "https://www.example.org", "www.example.org:443", false));
        assert!(allows(&node, "https://app.example.org:443", "www.example.org", false));
        for foreign in ["https://example.org", "http://localhost:8080", "https://www.example.org.evil.org"] {
            assert!(!allows(&node, foreign, "www.example.org", false), "{foreign}");
        }
    }

    #[test]
    fn a_port_that_got_lost_on_the_way_is_forgiven_to_a_proxy_alone() {
        let node = public(&[], Transport::Tls);
        let page = "https://www.example.org:8443";
        assert!(allows(&node, page, "www.example.org", true));
        assert!(!allows(&node, page, "www.example.org", false));
        assert!(!allows(&node, page, "www.example.org:3000", true), "this port was not lost");
        assert!(!allows(&node, "https://evil.org:8443", "www.example.org", true));
    }

    #[test]
    fn under_tls_a_page_without_it_is_foreign() {
        let own = public(&[], Transport::Tls);
        assert!(allows(&own, "https://www.example.org", "www.example.org", false));
        assert!(!allows(&own, "http://www.example.org:443", "www.example.org", false));
        assert!(own.refusal(Some("http://www.example.org".into()), "www.example.org".into()).contains("TLS"));
    }

    #[test]
    fn the_public_address_is_welcome_whatever_the_host_was_rewritten_to() {
        let node = |public| Origins::new(Vec::new(), public, "127.0.0.1".parse().unwrap(), Transport::Plain);
        let tunnel = node(Some(origin("https://abc.tunnel.example")));
        assert!(allows(&tunnel, "https://abc.tunnel.example", "localhost:3000", false));
        assert!(tunnel.check_host("abc.tunnel.example").is_ok());
        assert!(tunnel.check_host("abc.tunnel.example:443").is_ok());
        assert!(tunnel.check_host("evil.example").is_err());
        assert!(!allows(&tunnel, "https://evil.example", "abc.tunnel.example", false));
        assert!(!allows(&tunnel, "https://abc.tunnel.example:8443", "abc.tunnel.example", true));
        assert!(!allows(&tunnel, "http://localhost:9", "abc.tunnel.example", false));
        assert!(allows(&tunnel, "http://localhost:9", "localhost:3000", false));
        assert!(node(None).check_host("abc.tunnel.example").is_err());
    }

    #[test]
    fn on_loopback_other_names_are_foreign_unless_tls_vouches_for_them() {
        let on_loopback = |transport| Origins::new(Vec::new(), None, "127.0.0.1".parse().unwrap(), transport);
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
