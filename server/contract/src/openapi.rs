//! The HTTP half of the contract: OpenAPI 3.1, made of the routes and the types of their handlers.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use shared::{ErrorCode, Problem};

use crate::about::{About, WIRE_VERSION};
use crate::routes::Routes;
use crate::{examples, payloads, schemas};

/// Makes the document.
pub fn of<S: Clone + Send + Sync + 'static>(routes: &Routes<S>, about: &About) -> Value {
    let mut schemas = schemas::generator(SchemaSettings::draft2020_12());
    let problem = schemas.subschema_for::<Problem>().to_value();
    let namespaces: Vec<&str> = about.kinds.iter().map(|(namespace, _)| *namespace).collect();
    let paths = routes.paths(&namespaces, &mut schemas);
    let topics = payloads::described(&about.kinds, &mut schemas);
    let mut schemas = schemas.take_definitions(true);
    for (name, example) in examples::of_answers() {
        if let Some(schema) = schemas.get_mut(name) {
            schema["examples"] = json!([example]);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Duplex",
            "version": WIRE_VERSION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": "One log, read by pull, long poll, stream or socket; written with a key that makes every \
                retry harmless. What crosses the socket is in `/api/asyncapi.json`. HEAD works wherever GET does, \
                OPTIONS lists the methods, and any other gets 405 with `Allow`. Fields that are not listed may be \
                added and are to be ignored.",
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "x-topics": topics,
        "components": {
            "schemas": schemas,
            "responses": ErrorCode::ALL.iter().map(|code| refusal(*code, &problem)).collect::<Map<_, _>>(),
            "headers": { "X-Request-Id": {
                "description": "Finds the node's log lines about this request.",
                "schema": { "type": "string" },
            }},
            "securitySchemes": {
                "cookie": cookie(about.cookie, "Set by `POST /api/me` where nothing is encrypted; the number is the node's port."),
                "cookie_under_tls": cookie(about.cookie_under_tls, "Set by `POST /api/me` under TLS."),
            },
        },
    })
}

fn cookie(name: &str, about: &str) -> Value {
    json!({ "type": "apiKey", "in": "cookie", "name": name, "description": about })
}

fn refusal(code: ErrorCode, problem: &Value) -> (String, Value) {
    let mut headers = json!({ "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } });
    match code {
        ErrorCode::TooMany | ErrorCode::Unavailable => {
            headers["Retry-After"] = json!({
                "description": "When to ask again, in seconds.",
                "schema": { "type": "integer", "minimum": 0 },
            });
        }
        ErrorCode::MethodNotAllowed => {
            headers["Allow"] =
                json!({ "description": "The methods it knows.", "schema": { "type": "string" } });
        }
        _ => {}
    }
    let name = serde_json::to_value(code).unwrap_or_default();
    let example =
        Problem { request_id: "Yc0Jq5rR2nZ1sXwV".into(), ..Problem::new(code, "what to do about it") };
    let body = json!({ "schema": problem, "example": example });
    let response = json!({
        "description": format!("{} (`{}`)", code.title(), name.as_str().unwrap_or_default()),
        "headers": headers,
        "content": { "application/problem+json": body },
    });
    (format!("{code:?}"), response)
}
