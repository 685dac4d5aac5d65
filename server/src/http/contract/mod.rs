//! The contract as documents: OpenAPI for the routes, AsyncAPI for the socket, and a page of both for people.
//!
//! Nothing in them is written twice. A route is added together with its summary, and the types of its handler say
//! the rest; the frames are the shared types. So a document cannot lag behind what the node does, and the copies
//! beside the tests show each change of it as a diff.

mod asyncapi;
mod described;
mod examples;
mod openapi;
mod operation;
mod page;
mod payloads;
mod routes;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Extension;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use bytes::Bytes;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};
use shared::endpoint;

pub use described::{Answer, Described, DescribedHandler};
pub use operation::{Operation, Place};
pub use payloads::Payloads;
pub use routes::Routes;

use crate::http::AppState;

/// The version of the wire, which is that of the documents.
const WIRE_VERSION: &str = "1";

/// Collects the schemas of types, in the dialect of one of the documents.
fn schemas(dialect: SchemaSettings) -> SchemaGenerator {
    let settings = dialect.with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        settings.transforms.push(Box::new(RecursiveTransform(without_links)));
    });
    settings.into_generator()
}

/// Descriptions are the types' own comments, in which names may link to other Rust items.
fn without_links(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace("[`", "`").replace("`]", "`");
    }
}

/// The routes, and beside them the documents that describe them and what each kind of topic carries.
pub fn documented(routes: Routes, kinds: Vec<(&'static str, Payloads)>) -> Router<AppState> {
    let mut routes = routes
        .get(
            endpoint::OPENAPI,
            "This document: every route of the API, with what it takes and answers.",
            openapi,
        )
        .get(endpoint::ASYNCAPI, "What crosses the socket, as AsyncAPI 3.", asyncapi)
        .get(endpoint::DOCS, "Both documents as a page.", docs);
    let router = routes.take_router();
    let documents: Later = LazyLock::new(Box::new(move || Documents::of(&routes, &kinds)));
    router.layer(Extension(Arc::new(documents)))
}

/// Written once, when somebody first asks: most nodes start without a reader.
type Later = LazyLock<Documents, Box<dyn FnOnce() -> Documents + Send>>;

struct Documents {
    openapi: Bytes,
    asyncapi: Bytes,
    page: Bytes,
    policy: HeaderValue,
}

impl Documents {
    fn of(routes: &Routes, kinds: &[(&'static str, Payloads)]) -> Documents {
        let (openapi, asyncapi) = (openapi::of(routes, kinds), asyncapi::of(kinds));
        let page = page::of(&openapi, &asyncapi);
        let text = |document: &Value| format!("{document:#}\n").into();
        Documents {
            openapi: text(&openapi),
            asyncapi: text(&asyncapi),
            policy: page::policy(),
            page: page.into(),
        }
    }
}

/// A document in JSON.
enum Document {}

impl Described for Document {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_with(
            StatusCode::OK,
            "application/json",
            json!({ "type": "object" }),
            "The document.",
        );
    }
}

/// The page.
enum Page {}

impl Described for Page {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_with(StatusCode::OK, "text/html", json!({ "type": "string" }), "The page.");
    }
}

async fn openapi(Extension(documents): Extension<Arc<Later>>) -> Answer<Document> {
    in_json(&documents.openapi)
}

async fn asyncapi(Extension(documents): Extension<Arc<Later>>) -> Answer<Document> {
    in_json(&documents.asyncapi)
}

fn in_json(document: &Bytes) -> Answer<Document> {
    Answer::of(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], document.clone()))
}

async fn docs(Extension(documents): Extension<Arc<Later>>) -> Answer<Page> {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (CONTENT_SECURITY_POLICY, documents.policy.clone()),
    ];
    Answer::of((headers, documents.page.clone()))
}
