//! The socket on the page: its frames, each with an example, and its close codes.

use serde_json::Value;

use super::html::{code, escape, example, list, prose, row, text};
use super::schemas;

/// All of it.
pub fn all(asyncapi: &Value) -> String {
    let channel = &asyncapi["channels"]["socket"];
    let operations = asyncapi["operations"].as_object().into_iter().flatten();
    let directions = operations.map(|(_, operation)| {
        let messages = operation["messages"].as_array().into_iter().flatten();
        let names = messages.filter_map(|message| message["$ref"].as_str()?.rsplit('/').next());
        let frames = names.map(|name| frame(name, &asyncapi["components"]["messages"][name]));
        format!(
            "<h3 class=\"part\">{}</h3>\n{}",
            escape(text(&operation["summary"])),
            frames.collect::<String>()
        )
    });
    let codes = channel["x-close-codes"].as_array().into_iter().flatten().map(close_code);
    format!(
        "<p>{} {}</p>\n{}<h3 class=\"part\">Close codes</h3>\n<dl>\n{}</dl>\n",
        code(text(&channel["address"])),
        prose(text(&channel["description"])),
        directions.collect::<String>(),
        codes.collect::<String>()
    )
}

fn frame(id: &str, message: &Value) -> String {
    let name = text(&message["name"]);
    let body = &message["payload"]["properties"][name];
    let fields = match schemas::fields(body) {
        none if none.is_empty() => row(&schemas::kind(body), "", ""),
        fields => fields,
    };
    let examples = message["examples"].as_array().into_iter().flatten();
    format!(
        "<article aria-labelledby=\"{id}\">\n<h4 class=\"frame\" id=\"{id}\">{}</h4>\n<p>{}</p>\n{}{}</article>\n",
        code(name),
        prose(text(&message["summary"])),
        list("Body", &fields),
        examples.map(|one| example(&one["payload"], name)).collect::<String>(),
    )
}

fn close_code(told: &Value) -> String {
    let about = if told["comes_back"] == true { "Come back." } else { "Do not come back by yourself." };
    row(&format!("<strong>{}</strong>", told["code"]), &escape(text(&told["reason"])), about)
}
