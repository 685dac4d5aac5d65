//! The contract's documents: they equal the committed ones, and the node's answers match them.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use shared::{ClientFrame, ErrorCode, ServerFrame, endpoint};

use crate::support::golden::assert_golden_document;
use crate::support::schema::assert_fits;
use crate::support::{TestResponse, TestServer};

const EVENTS: &str = "/api/topics/{topic}/events";

async fn document(server: &TestServer, path: &str) -> Value {
    server.stranger().get(path).await.json()
}

/// Returns all references in a document.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => {
            let mut found: Vec<&str> = fields.values().flat_map(references).collect();
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                found.push(reference);
            }
            found
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Asserts that the document describes this answer, and that the answer matches the description.
fn assert_documented(openapi: &Value, path: &str, method: &str, answer: &TestResponse) {
    let documented = &openapi["paths"][path][method]["responses"][answer.status.to_string()];
    let documented = match documented["$ref"].as_str() {
        Some(reference) => openapi.pointer(&reference[1..]).unwrap(),
        None => documented,
    };
    assert!(documented.is_object(), "{method} {path} may not answer {} by the document", answer.status);
    let kind = answer.header("content-type");
    match documented["content"].get(kind) {
        Some(content) => {
            assert_fits(openapi, &content["schema"], &serde_json::from_slice(&answer.body).unwrap())
        }
        None => assert!(
            documented.get("content").is_none() && answer.body.is_empty(),
            "{kind} of {method} {path}"
        ),
    }
}

#[tokio::test]
async fn the_contract_of_the_core_is_pinned() {
    let server = TestServer::start();
    assert_golden_document("openapi", &document(&server, endpoint::OPENAPI).await);
    assert_golden_document("asyncapi", &document(&server, endpoint::ASYNCAPI).await);
}

#[tokio::test]
async fn every_reference_in_a_document_resolves() {
    let server = TestServer::start();
    for path in [endpoint::OPENAPI, endpoint::ASYNCAPI] {
        let document = document(&server, path).await;
        let references = references(&document);
        assert!(references.len() > 20, "{path} refers to {} things", references.len());
        for reference in references {
            assert!(document.pointer(&reference[1..]).is_some(), "{path}: {reference} points nowhere");
        }
    }
}

#[tokio::test]
async fn every_part_of_a_path_is_a_parameter_and_every_operation_has_a_unique_name() {
    let openapi = document(&TestServer::start(), endpoint::OPENAPI).await;
    let mut names = BTreeSet::new();
    for (path, methods) in openapi["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(
                names.insert(operation["operationId"].to_string()),
                "the name of {method} {path} is not unique"
            );
            assert!(!operation["summary"].as_str().unwrap().is_empty());
            let takes = |name: &str| {
                let parameters = operation["parameters"].as_array();
                parameters.is_some_and(|all| all.iter().any(|it| it["in"] == "path" && it["name"] == name))
            };
            let parts = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
            parts.for_each(|part| assert!(takes(part), "{method} {path} does not declare {part}"));
        }
    }
}

#[tokio::test]
async fn the_examples_of_types_fit_their_schemas() {
    let openapi = document(&TestServer::start(), endpoint::OPENAPI).await;
    let types = openapi["components"]["schemas"].as_object().unwrap();
    let with_example = types.iter().filter(|(_, schema)| !schema["examples"].is_null());
    let names: Vec<&String> = with_example
        .map(|(name, schema)| {
            schema["examples"]
                .as_array()
                .unwrap()
                .iter()
                .for_each(|value| assert_fits(&openapi, schema, value));
            name
        })
        .collect();
    assert_eq!(names, ["Identity", "NewIdentity", "EventPage", "Said", "Ack"]);
}

#[tokio::test]
async fn every_problem_is_documented_with_its_code_and_status() {
    let openapi = document(&TestServer::start(), endpoint::OPENAPI).await;
    for code in ErrorCode::ALL {
        let content =
            &openapi["components"]["responses"][format!("{code:?}")]["content"]["application/problem+json"];
        assert_eq!(content["example"]["status"], code.status());
        assert_fits(&openapi, &content["schema"], &content["example"]);
    }
}

#[tokio::test]
async fn the_answers_of_the_node_are_as_documented() {
    let server = TestServer::start();
    let openapi = document(&server, endpoint::OPENAPI).await;
    let nobody = server.stranger();
    let ada = server.guest("Ada").await;
    let me = |method, answer| assert_documented(&openapi, endpoint::ME, method, &answer);
    me("get", nobody.get(endpoint::ME).await);
    me("get", ada.get(endpoint::ME).await);
    me("post", nobody.post(endpoint::ME, &json!({ "name": "Grace" })).await);
    me("post", ada.post(endpoint::ME, &json!({ "name": "" })).await);
    me("post", ada.ask(ada.request(Method::POST, endpoint::ME).body("name")).await);

    let publish = |answer| assert_documented(&openapi, "/api/probe/{name}/events", "post", &answer);
    for text in ["a", "a", "b"] {
        publish(ada.try_publish("topic", "key", text).await);
    }
    publish(ada.try_publish("Topic", "key", "a").await);
    publish(nobody.post("/api/probe/topic/events", &json!({})).await);

    let events = |answer| assert_documented(&openapi, EVENTS, "get", &answer);
    for path in [
        "probe:topic/events",
        "probe:topic/events?limit=0",
        "nowhere:topic/events",
        "probe:private-topic/events",
    ] {
        events(ada.get(&format!("/api/topics/{path}")).await);
    }
    let topic = "/api/topics/probe:topic/events";
    events(ada.ask(ada.request(Method::GET, topic).header("if-none-match", "*")).await);
    events(ada.ask(ada.request(Method::GET, topic).header("accept", "text/html")).await);
    assert_documented(&openapi, endpoint::SOCKET, "x-websocket", &ada.get(endpoint::SOCKET).await);
    me("delete", ada.ask(ada.request(Method::DELETE, endpoint::ME)).await);
}

#[tokio::test]
async fn every_frame_has_an_example_that_fits_its_schema_and_is_read_by_its_type() {
    let asyncapi = document(&TestServer::start(), endpoint::ASYNCAPI).await;
    let messages = asyncapi["components"]["messages"].as_object().unwrap();
    for (id, message) in messages {
        let examples = message["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{id} has no example");
        for example in examples {
            assert_fits(&asyncapi, &message["payload"], &example["payload"]);
            let text = example["payload"].to_string();
            let again = match id.strip_prefix("client_") {
                Some(_) => serde_json::to_value(serde_json::from_str::<ClientFrame>(&text).unwrap()),
                None => serde_json::to_value(serde_json::from_str::<ServerFrame>(&text).unwrap()),
            };
            assert_eq!(again.unwrap(), example["payload"]);
        }
    }
    assert_eq!(messages.len(), 15, "five from a client, ten from the node");
}

#[tokio::test]
async fn every_close_code_is_documented() {
    let asyncapi = document(&TestServer::start(), endpoint::ASYNCAPI).await;
    let documented = asyncapi["channels"]["socket"]["x-close-codes"].as_array().unwrap();
    let final_codes: Vec<&Value> =
        documented.iter().filter(|it| it["comes_back"] == false).map(|it| &it["code"]).collect();
    let codes: Vec<&Value> = documented.iter().map(|it| &it["code"]).collect();
    assert_eq!(codes, [1002, 1003, 1007, 1009, 1012, 1013, 4000, 4001, 4002, 4008]);
    assert_eq!(final_codes, [4000, 4001]);
}
