//! The routes on the page, and the problems that they are refused with.

use serde_json::Value;

use super::html::{code, escape, example, list, prose, row, text};
use super::schemas;

/// All operations: method, path, and what the document says of it.
fn each(openapi: &Value) -> impl Iterator<Item = (&str, &String, &Value)> {
    let paths = openapi["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (method.trim_start_matches("x-"), path, operation))
    })
}

/// The list of links to them.
pub fn contents(openapi: &Value) -> String {
    let link = |(method, path, operation): (&str, &String, &Value)| {
        let (id, name) = (text(&operation["operationId"]), heading(method, path));
        format!("<li><a href=\"#{id}\">{name}</a></li>\n")
    };
    each(openapi).map(link).collect()
}

/// All of them, one below the other.
pub fn all(openapi: &Value) -> String {
    each(openapi).map(|(method, path, operation)| one(openapi, method, path, operation)).collect()
}

fn heading(method: &str, path: &str) -> String {
    format!("<span class=\"method\">{}</span> {}", escape(&method.to_uppercase()), code(path))
}

fn one(openapi: &Value, method: &str, path: &str, operation: &Value) -> String {
    let id = text(&operation["operationId"]);
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(parameter);
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let body =
        if body.is_null() { String::new() } else { row(&schemas::kind(body), "JSON, required", "The body.") };
    let answers = operation["responses"].as_object().into_iter().flatten();
    let answers = answers.map(|(status, answer)| self::answer(openapi, status, answer));
    let taken = parameters.collect::<String>() + &body;
    format!(
        "<article aria-labelledby=\"{id}\">\n<h3 id=\"{id}\">{}</h3>\n<p>{}</p>\n<p class=\"note\">{}</p>\n{}{}</article>\n",
        heading(method, path),
        prose(text(&operation["summary"])),
        who(&operation["security"]),
        list("Takes", &taken),
        list("Answers", &answers.collect::<String>()),
    )
}

fn who(security: &Value) -> &'static str {
    match security.as_array().map(Vec::as_slice) {
        None | Some([]) => "For everyone.",
        Some([first, ..]) if first.as_object().is_some_and(|needs| needs.is_empty()) => {
            "For everyone; a cookie tells who you are."
        }
        Some(_) => "For those who are signed in, by cookie.",
    }
}

fn parameter(parameter: &Value) -> String {
    let (place, about) = (text(&parameter["in"]), prose(text(&parameter["description"])));
    if let Some(fields) = parameter["schema"]["properties"].as_object() {
        let not_together = if parameter["schema"]["not"].is_null() { "" } else { ", one of them at most" };
        let field = |(name, schema): (&String, &Value)| {
            let note = format!("{place}{not_together}, {}", schemas::kind(schema));
            row(&code(name), &note, &prose(text(&schema["description"])))
        };
        return fields.iter().map(field).collect();
    }
    let required = if parameter["required"] == true { ", required" } else { "" };
    let note = format!("{}{required}, {}", escape(place), schemas::kind(&parameter["schema"]));
    row(&code(text(&parameter["name"])), &note, &about)
}

fn answer(openapi: &Value, status: &str, answer: &Value) -> String {
    let referred = answer["$ref"].as_str().and_then(|reference| openapi.pointer(&reference[1..]));
    let is_problem = referred.is_some();
    let answer = referred.unwrap_or(answer);
    let contents = answer["content"].as_object().into_iter().flatten();
    let contents = contents.map(|(name, content)| match content["schema"]["$ref"].is_null() {
        true => escape(name),
        false => schemas::kind(&content["schema"]),
    });
    let headers = answer["headers"].as_object().into_iter().flatten().filter(|_| !is_problem);
    let headers = headers.filter(|(_, header)| header["$ref"].is_null());
    let headers =
        headers.map(|(name, header)| format!("<br>{}: {}", code(name), prose(text(&header["description"]))));
    let note = if is_problem { String::new() } else { contents.collect::<Vec<_>>().join(", ") };
    let about = prose(text(&answer["description"])) + &headers.collect::<String>();
    row(&format!("<strong>{}</strong>", escape(status)), &note, &about)
}

/// Every way in which the server says no.
pub fn problems(openapi: &Value) -> String {
    let components = &openapi["components"];
    let meanings = components["schemas"]["ErrorCode"]["oneOf"].as_array().into_iter().flatten();
    let meaning_of =
        |name: &Value| meanings.clone().find(|code| code["const"] == *name).map(|code| &code["description"]);
    let refusals = components["responses"].as_object().into_iter().flatten();
    let examples = refusals.map(|(_, refusal)| &refusal["content"]["application/problem+json"]["example"]);
    let rows = examples.clone().map(|problem| {
        let about = meaning_of(&problem["code"]).map_or("", text);
        row(
            &format!("<strong>{}</strong> {}", problem["status"], code(text(&problem["code"]))),
            "",
            &prose(about),
        )
    });
    let first = examples.clone().next().map(|problem| example(problem, "a problem")).unwrap_or_default();
    let about = "Every answer of 400 and above is a <a href=\"#Problem\">Problem</a>, in \
        <code>application/problem+json</code> (RFC 9457).";
    format!("<p>{about}</p>\n{first}<dl>\n{}</dl>\n", rows.collect::<String>())
}
