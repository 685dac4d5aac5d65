//! Types on the page: in words where one is used, field by field where it is shown.

use serde_json::Value;

use super::html::{code, escape, example, list, prose, row, text};

/// What the topics of each namespace carry.
pub fn topics(topics: &Value) -> String {
    let kinds = topics.as_object().into_iter().flatten().map(|(namespace, payloads)| {
        let signal = match &payloads["signal"] {
            nothing if nothing["type"] == "null" => "there are no signals".into(),
            signal => format!("each signal {}", kind(signal)),
        };
        let event = kind(&payloads["event"]);
        row(&code(&format!("{namespace}:…")), "", &format!("Each event carries {event}, {signal}."))
    });
    format!("<dl>\n{}</dl>\n", kinds.collect::<String>())
}

/// All types of both documents, by name; those that both have are the same.
pub fn all(openapi: &Value, asyncapi: &Value) -> String {
    let all = openapi.as_object().into_iter().chain(asyncapi.as_object()).flatten();
    let mut types: Vec<(&String, &Value)> = all.collect();
    types.sort_by_key(|(name, _)| *name);
    types.dedup_by_key(|(name, _)| *name);
    types.into_iter().map(|(name, schema)| one(name, schema)).collect()
}

fn one(name: &str, schema: &Value) -> String {
    let about = prose(text(&schema["description"]));
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    let alternatives =
        alternatives.map(|schema| row(&kind(schema), "", &prose(text(&schema["description"]))));
    let examples = schema["examples"].as_array().into_iter().flatten();
    let examples: String = examples.map(|value| example(value, name)).collect();
    let detail = match (schema["properties"].is_object(), schema["oneOf"].is_array()) {
        (true, _) => list("Fields", &fields(schema)),
        (false, true) => list("One of", &alternatives.collect::<String>()),
        (false, false) => format!("<p class=\"note\">{}</p>\n", kind(schema)),
    };
    format!(
        "<article aria-labelledby=\"{name}\">\n<h3 id=\"{name}\">{name}</h3>\n<p>{about}</p>\n{detail}{examples}</article>\n"
    )
}

/// The fields of an object, one row each.
pub fn fields(schema: &Value) -> String {
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let field = |(name, schema): (&String, &Value)| {
        let optional = if required.iter().any(|it| it == name) { "" } else { ", optional" };
        row(&code(name), &format!("{}{optional}", kind(schema)), &prose(text(&schema["description"])))
    };
    schema["properties"].as_object().into_iter().flatten().map(field).collect()
}

/// A type in a few words.
pub fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = escape(reference.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    if !schema["const"].is_null() {
        return code(&schema["const"].to_string());
    }
    for one_of_several in ["anyOf", "allOf"] {
        if let Some(kinds) = schema[one_of_several].as_array() {
            return kinds.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    let name = match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) if name == "object" => shape(schema),
        Value::String(name) => escape(name),
        Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ => "any JSON".into(),
    };
    name + &bounds(schema)
}

/// An object with one key, as a variant is; its name says the most.
fn shape(schema: &Value) -> String {
    let fields = schema["properties"].as_object();
    fields
        .and_then(|fields| fields.keys().next())
        .map_or("object".into(), |name| code(&format!("{{\"{name}\": …}}")))
}

fn bounds(schema: &Value) -> String {
    let number = |name: &str| schema[name].as_u64();
    let range = match (number("minimum").or(number("minLength")), number("maximum").or(number("maxLength"))) {
        (Some(from), Some(u64::MAX) | None) => format!(" from {from}"),
        (Some(from), Some(to)) => format!(" {from} to {to}"),
        (None, _) => String::new(),
    };
    let unit = if schema["maxLength"].is_null() { "" } else { " characters" };
    let pattern = schema["pattern"].as_str().map(|pattern| format!(" matching {}", code(pattern)));
    range + unit + &pattern.unwrap_or_default()
}
