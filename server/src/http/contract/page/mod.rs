//! The documents as a page for people: made of them alone, so it shows what they say and nothing else.
//!
//! It is plain HTML with one style sheet inside, no script, and nothing from elsewhere: it works offline, under a
//! policy that allows that sheet and no more.

mod html;
mod operations;
mod schemas;
mod socket;

use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared::endpoint;

use html::{escape, prose};

/// The look of the app, and what only this page needs.
const STYLE: &str = concat!(include_str!("../../../../../assets/style.css"), include_str!("page.css"));

/// The page of both documents.
pub fn of(openapi: &Value, asyncapi: &Value) -> String {
    let title = escape(html::text(&openapi["info"]["title"]));
    let body = [
        introduction(openapi),
        section("routes", "Routes", &operations::all(openapi)),
        section("socket", "The socket", &socket::all(asyncapi)),
        section("topics", "Topics", &schemas::topics(&openapi["x-topics"])),
        section("problems", "Problems", &operations::problems(openapi)),
        section(
            "types",
            "Types",
            &schemas::all(&openapi["components"]["schemas"], &asyncapi["components"]["schemas"]),
        ),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>The contract of {title}</title>\n<link rel=\"icon\" href=\"data:,\">\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<a class=\"skip-link\" href=\"#contract\">Skip to the contract</a>\n\
         <header class=\"header\"><a class=\"brand\" href=\"/\">{title}</a>\n\
         <a href=\"{openapi_path}\">OpenAPI</a> <a href=\"{asyncapi_path}\">AsyncAPI</a></header>\n\
         <main id=\"contract\" tabindex=\"-1\">\n{body}</main>\n</body>\n</html>\n",
        openapi_path = endpoint::OPENAPI,
        asyncapi_path = endpoint::ASYNCAPI,
        body = body.concat(),
    )
}

/// What the page may load: its own style sheet, known by its hash.
pub fn policy() -> HeaderValue {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("base64 is plain text")
}

fn introduction(openapi: &Value) -> String {
    let about = prose(html::text(&openapi["info"]["description"]));
    format!(
        "<h1>The contract</h1>\n<p>{about}</p>\n<nav aria-label=\"On this page\"><ul class=\"contents\">\n{}\
         <li><a href=\"#socket\">The socket</a></li>\n<li><a href=\"#topics\">Topics</a></li>\n<li><a href=\"#problems\">Problems</a></li>\n\
         <li><a href=\"#types\">Types</a></li>\n</ul></nav>\n",
        operations::contents(openapi)
    )
}

fn section(id: &str, title: &str, body: &str) -> String {
    format!("<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n{body}</section>\n")
}
