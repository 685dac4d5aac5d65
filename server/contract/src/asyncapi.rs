//! The socket's half of the contract: AsyncAPI 3.0, made of the frame types and the close reasons.
//!
//! A frame is a variant of an enum, and so one of the alternatives of its schema. The key that names it on the wire
//! names the message.

use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Map, Value, json};
use shared::{ClientFrame, CloseReason, ServerFrame, endpoint};

use crate::about::{About, WIRE_VERSION};
use crate::{examples, payloads, schemas};

/// Makes the document.
pub fn of(about: &About) -> Value {
    // The dialect that AsyncAPI's own schema language extends.
    let mut schemas = schemas::generator(SchemaSettings::draft07());
    schemas.subschema_for::<(ClientFrame, ServerFrame)>();
    let topics = payloads::described(&about.kinds, &mut schemas);
    let mut schemas = schemas.take_definitions(true);
    let from_client = messages("client", schemas.shift_remove("ClientFrame"), &examples::of_client());
    let from_node = messages("node", schemas.shift_remove("ServerFrame"), &examples::of_node());
    let operations = json!({
        "from_client": operation("receive", "What a client says to the node.", &from_client),
        "from_node": operation("send", "What the node says to a client.", &from_node),
    });
    let messages: Map<_, _> = from_client.into_iter().chain(from_node).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Duplex",
            "version": WIRE_VERSION,
            "license": { "name": "MIT OR Apache-2.0" },
            "description": "What crosses the WebSocket: text frames, one JSON object each with exactly one key, the \
                frame's name. History is never sent here: a reader pulls it, see `/api/openapi.json`. Fields that are \
                not listed may be added and are to be ignored.",
        },
        "defaultContentType": "application/json",
        "servers": { "plain": server("ws", "cookie"), "tls": server("wss", "cookie_under_tls") },
        "channels": { "socket": channel(&messages) },
        "operations": operations,
        "x-topics": topics,
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {
                "cookie": { "type": "httpApiKey", "in": "cookie", "name": about.cookie },
                "cookie_under_tls": { "type": "httpApiKey", "in": "cookie", "name": about.cookie_under_tls },
            },
        },
    })
}

fn server(protocol: &str, cookie: &str) -> Value {
    json!({
        "host": "{host}",
        "protocol": protocol,
        "variables": { "host": { "default": "127.0.0.1:3000", "description": "Where the node listens." } },
        "security": [{ "$ref": format!("#/components/securitySchemes/{cookie}") }],
    })
}

fn channel(messages: &Map<String, Value>) -> Value {
    let refer = |name: &String| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") }));
    let protocols = json!({ "type": "string", "const": endpoint::SUBPROTOCOL });
    json!({
        "address": endpoint::SOCKET,
        "description": "RFC 6455 over HTTP/1.1, RFC 8441 over HTTP/2. Needs the cookie of a sign-in, and an Origin that \
            is welcome. The node closes it with one of the codes below; after any other, come back with back-off.",
        "messages": messages.keys().map(refer).collect::<Map<_, _>>(),
        "bindings": { "ws": {
            "bindingVersion": "0.1.0",
            "method": "GET",
            "headers": { "type": "object", "properties": { "Sec-WebSocket-Protocol": protocols } },
        }},
        "x-close-codes": close_codes(),
    })
}

fn operation(action: &str, summary: &str, messages: &[(String, Value)]) -> Value {
    let refer = |name: &str| json!({ "$ref": format!("#/channels/socket/messages/{name}") });
    json!({
        "action": action,
        "summary": summary,
        "channel": { "$ref": "#/channels/socket" },
        "messages": messages.iter().map(|(name, _)| refer(name)).collect::<Vec<_>>(),
    })
}

/// Makes one message for each alternative of a frame's schema, in their order.
fn messages(from: &str, frame: Option<Value>, examples: &[impl Serialize]) -> Vec<(String, Value)> {
    let variants = frame.and_then(|mut frame| frame["oneOf"].take().as_array_mut().map(std::mem::take));
    let examples = examples.iter().map(|frame| serde_json::to_value(frame).expect("a frame is JSON"));
    let examples: Vec<Value> = examples.collect();
    let message = |mut payload: Value| {
        let name = payload["required"][0].as_str().unwrap_or_default().to_owned();
        let summary = payload.as_object_mut().and_then(|schema| schema.remove("description"));
        let examples = examples.iter().filter(|example| example.get(&name).is_some());
        let message = json!({
            "name": name,
            "title": name,
            "summary": summary,
            "payload": payload,
            "examples": examples.map(|example| json!({ "payload": example })).collect::<Vec<_>>(),
        });
        (format!("{from}_{name}"), message)
    };
    variants.expect("frames are an enum").into_iter().map(message).collect()
}

/// Lists every close code that has a meaning of its own.
fn close_codes() -> Value {
    let reasons = (1_000..5_000).map(CloseReason::from_code);
    let known = reasons.filter(|reason| !matches!(reason, CloseReason::Other(_)));
    let told = known.map(
        |reason| json!({ "code": reason.code(), "reason": reason.text(), "comes_back": reason.comes_back() }),
    );
    told.collect()
}
