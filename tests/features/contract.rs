//! The product's contract with all its features. It changes only together with its committed copies.

use serde_json::Value;
use shared::endpoint;

use crate::support::golden::assert_golden_document;
use crate::support::{Program, TestServer};

#[tokio::test]
async fn the_contract_of_the_product_is_pinned() {
    let server = TestServer::of(Program::Product, &[]);
    for (name, path) in [("product/openapi", endpoint::OPENAPI), ("product/asyncapi", endpoint::ASYNCAPI)] {
        assert_golden_document(name, &server.stranger().get(path).await.json::<Value>());
    }
}
