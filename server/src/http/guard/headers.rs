//! Security headers on every answer (OWASP Secure Headers Project; CSP Level 3 for the policy of the document).
//!
//! They also keep answers out of caches unless the handler says otherwise.

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use shared::endpoint;

use crate::net::Transport;

/// Headers of every answer.
const ALWAYS: [(HeaderName, &str); 8] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("x-permitted-cross-domain-policies"), "none"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];
/// Two years, as the browsers' preload list demands.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000");
/// The policy of answers that are not documents: nothing in them may run.
const NO_DOCUMENT: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// The default, because each answer is for one reader at one moment.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Sent after a sign-out, so that no page of events stays behind for the next user of the browser.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Adds the headers.
pub async fn add(State(transport): State<Transport>, request: Request, next: Next) -> Response {
    let signs_out = request.method() == Method::DELETE && request.uri().path() == endpoint::ME;
    let mut response = next.run(request).await;
    let signed_out = signs_out && response.status().is_success();
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(NO_DOCUMENT);
    headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
    if signed_out {
        headers.insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    }
    if transport == Transport::Tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

/// Returns the policy of an HTML document: its own files, WebAssembly, and exactly the inline scripts that it has.
pub fn policy_of(document: &str) -> HeaderValue {
    let scripts: String = inline(document, "script").map(|script| format!(" '{}'", hash(script))).collect();
    let styles: String = inline(document, "style").map(|style| format!(" '{}'", hash(style))).collect();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{scripts}; style-src 'self'{styles}; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("base64 is plain text")
}

/// The texts of all elements of that name which have one. The page is our own, so this need not be a parser.
fn inline<'a>(page: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (opening, closing) = (format!("<{name}"), format!("</{name}>"));
    let mut rest = page;
    std::iter::from_fn(move || {
        let (_, from) = rest.split_once(&opening)?;
        let (_, from) = from.split_once('>')?;
        let (text, after) = from.split_once(&closing)?;
        rest = after;
        Some(text)
    })
    .filter(|text| !text.trim().is_empty())
}

fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_each_inline_script_and_allows_no_other() {
        let page = "<script src=\"boot.js\"></script><script type=module>alert(1)</script><style>p{}</style>";
        let policy = policy_of(page);
        let policy = policy.to_str().unwrap();
        // `printf 'alert(1)' | openssl dgst -sha256 -binary | base64`
        let known = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='";
        assert!(policy.contains(known), "{policy}");
        assert_eq!(policy.matches("sha256-").count(), 2, "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
    }
}
