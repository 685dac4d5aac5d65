//! The contract as documents: they are the committed ones, they hold for what the node answers, and the page of
//! them needs nothing from elsewhere.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use shared::{ClientFrame, ErrorCode, ServerFrame, endpoint};

use crate::support::golden::pins_document;
use crate::support::schema::fits;
use crate::support::{Answer, TestServer};

const EVENTS: &str = "/api/topics/{topic}/events";

async fn document(server: &TestServer, path: &str) -> Value {
    server.stranger().get(path).await.json()
}

/// All that a document refers to.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Asserts that the document tells of this answer, and that the answer is as it tells.
fn is_as_documented(openapi: &Value, path: &str, method: &str, answer: &Answer) {
    let told = &openapi["paths"][path][method]["responses"][answer.status.to_string()];
    let told = match told["$ref"].as_str() {
        Some(reference) => openapi.pointer(&reference[1..]).unwrap(),
        None => told,
    };
    assert!(told.is_object(), "{method} {path} may answer {}, says nobody", answer.status);
    let kind = answer.header("content-type");
    match told["content"].get(kind) {
        Some(content) => fits(openapi, &content["schema"], &serde_json::from_slice(&answer.body).unwrap()),
        None => assert!(told.get("content").is_none() && answer.body.is_empty(), "{kind} of {method} {path}"),
    }
}

#[tokio::test]
async fn the_contract_of_the_core_is_pinned() {
    let server = TestServer::start();
    pins_document("openapi", &document(&server, endpoint::OPENAPI).await);
    pins_document("asyncapi", &document(&server, endpoint::ASYNCAPI).await);
}

#[tokio::test]
async fn whatever_a_document_refers_to_is_in_it() {
    let server = TestServer::start();
    for path in [endpoint::OPENAPI, endpoint::ASYNCAPI] {
        let document = document(&server, path).await;
        let references = references(&document);
        assert!(references.len() > 20, "{path} refers to {} things", references.len());
        for reference in references {
            assert!(document.pointer(&reference[1..]).is_some(), "{path}: {reference} leads nowhere");
        }
    }
}

#[tokio::test]
async fn every_part_of_a_path_is_a_parameter_and_every_operation_has_a_name_of_its_own() {
    let openapi = document(&TestServer::start(), endpoint::OPENAPI).await;
    let mut names = BTreeSet::new();
    for (path, methods) in openapi["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(names.insert(operation["operationId"].to_string()), "{method} {path} has another's name");
            assert!(!operation["summary"].as_str().unwrap().is_empty());
            let takes = |name: &str| {
                let parameters = operation["parameters"].as_array();
                parameters.is_some_and(|all| all.iter().any(|it| it["in"] == "path" && it["name"] == name))
            };
            let parts = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
            parts.for_each(|part| assert!(takes(part), "{method} {path} says nothing of {part}"));
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
            schema["examples"].as_array().unwrap().iter().for_each(|value| fits(&openapi, schema, value));
            name
        })
        .collect();
    assert_eq!(names, ["Identity", "NewIdentity", "EventPage", "Said", "Ack"]);
}

#[tokio::test]
async fn every_problem_is_told_of_with_its_code_and_status() {
    let openapi = document(&TestServer::start(), endpoint::OPENAPI).await;
    for code in ErrorCode::ALL {
        let content =
            &openapi["components"]["responses"][format!("{code:?}")]["content"]["application/problem+json"];
        assert_eq!(content["example"]["status"], code.status());
        fits(&openapi, &content["schema"], &content["example"]);
    }
}

#[tokio::test]
async fn what_the_node_answers_is_as_documented() {
    let server = TestServer::start();
    let (openapi, nobody) = (document(&server, endpoint::OPENAPI).await, server.stranger());
    let ada = server.guest("Ada").await;
    let me = |method, answer| is_as_documented(&openapi, endpoint::ME, method, &answer);
    me("get", nobody.get(endpoint::ME).await);
    me("get", ada.get(endpoint::ME).await);
    me("post", nobody.post(endpoint::ME, &json!({ "name": "Grace" })).await);
    me("post", ada.post(endpoint::ME, &json!({ "name": "" })).await);
    me("post", ada.ask(ada.request(Method::POST, endpoint::ME).body("name")).await);

    let publish = |answer| is_as_documented(&openapi, "/api/probe/{name}/events", "post", &answer);
    for text in ["a", "a", "b"] {
        publish(ada.publish("topic", "key", text).await);
    }
    publish(ada.publish("Topic", "key", "a").await);
    publish(nobody.post("/api/probe/topic/events", &json!({})).await);

    let events = |answer| is_as_documented(&openapi, EVENTS, "get", &answer);
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
    is_as_documented(&openapi, endpoint::SOCKET, "x-websocket", &ada.get(endpoint::SOCKET).await);
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
            fits(&asyncapi, &message["payload"], &example["payload"]);
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
async fn every_close_code_is_told_of() {
    let asyncapi = document(&TestServer::start(), endpoint::ASYNCAPI).await;
    let told = asyncapi["channels"]["socket"]["x-close-codes"].as_array().unwrap();
    let away: Vec<&Value> =
        told.iter().filter(|it| it["comes_back"] == false).map(|it| &it["code"]).collect();
    let codes: Vec<&Value> = told.iter().map(|it| &it["code"]).collect();
    assert_eq!(codes, [1002, 1003, 1007, 1009, 1012, 1013, 4000, 4001, 4002, 4008]);
    assert_eq!(away, [4000, 4001]);
}
