//! The contract as documents: OpenAPI for the routes, AsyncAPI for the socket. For any state `S` of a router.
//!
//! Nothing in them is written twice. A route is added together with its summary, and the types of its handler say the
//! rest; the frames are the shared types. So a document cannot lag behind the code, and the copies beside the tests
//! show each change of it as a diff.

mod routes;
pub use routes::Routes;
mod described;
pub use described::{Answer, Described, DescribedHandler};
mod operation;
pub use operation::{Operation, Place};
mod payloads;
pub use payloads::Payloads;

mod about;
pub use about::About;
mod asyncapi;
mod examples;
mod openapi;
mod schemas;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Extension;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use bytes::Bytes;
use serde_json::{Value, json};
use shared::endpoint;

/// Adds the routes of the two documents, which describe all of `routes` and themselves.
pub fn documented<S: Clone + Send + Sync + 'static>(routes: Routes<S>, about: About) -> Router<S> {
    let mut routes = routes
        .get(
            endpoint::OPENAPI,
            "This document: every route of the API, with its parameters and answers.",
            openapi,
        )
        .get(endpoint::ASYNCAPI, "The frames of the socket, as AsyncAPI 3.", asyncapi);
    let router = routes.take_router();
    let documents: LazyDocuments = LazyLock::new(Box::new(move || Documents::of(&routes, &about)));
    router.layer(Extension(Arc::new(documents)))
}

/// Written when somebody first asks: most nodes start without a reader.
type LazyDocuments = LazyLock<Documents, Box<dyn FnOnce() -> Documents + Send>>;

struct Documents {
    openapi: Bytes,
    asyncapi: Bytes,
}

impl Documents {
    fn of<S: Clone + Send + Sync + 'static>(routes: &Routes<S>, about: &About) -> Documents {
        let text = |document: Value| format!("{document:#}\n").into();
        Documents { openapi: text(openapi::of(routes, about)), asyncapi: text(asyncapi::of(about)) }
    }
}

/// A document in JSON.
enum Document {}

impl Described for Document {
    fn describe(operation: &mut Operation<'_>) {
        let object = json!({ "type": "object" });
        operation.answers_with(StatusCode::OK, "application/json", object, "The document.");
    }
}

async fn openapi(Extension(documents): Extension<Arc<LazyDocuments>>) -> Answer<Document> {
    in_json(&documents.openapi)
}

async fn asyncapi(Extension(documents): Extension<Arc<LazyDocuments>>) -> Answer<Document> {
    in_json(&documents.asyncapi)
}

fn in_json(document: &Bytes) -> Answer<Document> {
    Answer::of(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], document.clone()))
}
