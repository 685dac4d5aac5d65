//! Schemas of types, in the dialect of one of the documents.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

/// Creates a generator of schemas in the dialect of one of the documents.
pub fn generator(dialect: SchemaSettings) -> SchemaGenerator {
    let settings = dialect.with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        settings.transforms.push(Box::new(RecursiveTransform(without_links)));
    });
    settings.into_generator()
}

/// Turns links to other Rust items into plain names: descriptions are the types' own doc comments.
fn without_links(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace("[`", "`").replace("`]", "`");
    }
}
