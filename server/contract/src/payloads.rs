//! `Payloads`: the payload types of the topics of one namespace. The engine never looks into a payload; the documents
//! describe it.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use shared::TopicKind;

/// The schemas of a kind of topic.
#[derive(Clone, Copy)]
pub struct Payloads {
    event: fn(&mut SchemaGenerator) -> Schema,
    signal: fn(&mut SchemaGenerator) -> Schema,
}

impl Payloads {
    /// The schemas of `Kind`.
    pub fn of<Kind: TopicKind<Event: JsonSchema, Signal: JsonSchema>>() -> Payloads {
        Payloads {
            event: SchemaGenerator::subschema_for::<Kind::Event>,
            signal: SchemaGenerator::subschema_for::<Kind::Signal>,
        }
    }
}

/// Describes the payloads of each namespace, as both documents write them.
pub fn described(kinds: &[(&'static str, Payloads)], schemas: &mut SchemaGenerator) -> Value {
    let kinds = kinds.iter().map(|(namespace, payloads)| {
        let (event, signal) = ((payloads.event)(schemas), (payloads.signal)(schemas));
        ((*namespace).to_owned(), json!({ "event": event, "signal": signal }))
    });
    kinds.collect::<Map<_, _>>().into()
}
