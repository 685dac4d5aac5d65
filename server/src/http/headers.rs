//! The headers that keep a browser from being used against its person, on every answer.
//!
//! They also keep answers out of caches where nothing else was said. See the OWASP Secure Headers Project, and CSP
//! Level 3 for the page's policy.

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

use crate::http::{AppState, Transport};

/// What every answer says.
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
/// Two years, as browsers ask of those who want to be on their list.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000");
/// For answers that are no page: nothing in them may run.
const NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// For answers of which nothing else was said: each is for one reader, and for now.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Who signs out leaves no page of events behind for whoever uses the browser next.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Adds them.
pub async fn add(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let signs_out = request.method() == Method::DELETE && request.uri().path() == endpoint::ME;
    let mut response = next.run(request).await;
    let signed_out = signs_out && response.status().is_success();
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(NO_PAGE);
    headers.entry(CACHE_CONTROL).or_insert(NO_STORE);
    if signed_out {
        headers.insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    }
    if app.transport == Transport::Tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

/// The policy of a page: its own files, WebAssembly, and exactly the inline scripts that it has.
pub fn policy_of(page: &str) -> HeaderValue {
    let scripts: String = inline(page, "script").map(|script| format!(" '{}'", hash(script))).collect();
    let styles: String = inline(page, "style").map(|style| format!(" '{}'", hash(style))).collect();
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
