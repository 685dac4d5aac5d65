//! `Operation`: one method of one path, with its parameters and answers, as OpenAPI writes it.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use shared::ErrorCode;

/// Errors of every operation: from the checks around all routes, from the memory budget, and from the timeout.
const ALWAYS: [ErrorCode; 4] =
    [ErrorCode::Forbidden, ErrorCode::Internal, ErrorCode::TooMany, ErrorCode::Unavailable];

/// The documentation of one operation, filled in by the types of its handler; see [`Described`](crate::Described).
pub struct Operation<'a> {
    path: &'a str,
    /// The namespaces of the node's topics.
    pub namespaces: &'a [&'static str],
    schemas: &'a mut SchemaGenerator,
    security: Option<Value>,
    parameters: Vec<(Place, Value)>,
    body: Option<Value>,
    answers: BTreeMap<u16, Value>,
}

/// The place of a parameter, in the order of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A segment of the path.
    Path,
    /// A field of the query.
    Query,
    /// A header field.
    Header,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
        }
    }
}

impl Operation<'_> {
    /// Creates an operation on `path` that is not described yet.
    pub fn new<'a>(
        path: &'a str,
        namespaces: &'a [&'static str],
        schemas: &'a mut SchemaGenerator,
    ) -> Operation<'a> {
        let mut operation = Operation {
            path,
            namespaces,
            schemas,
            security: None,
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
        };
        ALWAYS.into_iter().for_each(|code| operation.refuses(code));
        operation
    }

    /// Returns the `{names}` in its path.
    pub fn names_in_path(&self) -> Vec<String> {
        let names = self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names.map(str::to_owned).collect()
    }

    /// Returns a reference to the schema of a type, which is written once, among the document's components.
    pub fn schema_of<T: JsonSchema>(&mut self) -> Value {
        self.schemas.subschema_for::<T>().to_value()
    }

    /// Requires a sign-in.
    pub fn needs_sign_in(&mut self) {
        self.security = Some(json!([{ "cookie": [] }, { "cookie_under_tls": [] }]));
        self.refuses(ErrorCode::Unauthenticated);
    }

    /// Accepts a sign-in, without requiring it.
    pub fn knows_sign_in(&mut self) {
        let optional = || json!([{}, { "cookie": [] }, { "cookie_under_tls": [] }]);
        self.security.get_or_insert_with(optional);
    }

    /// Takes an optional parameter. It replaces one of the same name.
    pub fn takes(&mut self, place: Place, name: &str, schema: Value, about: &str) {
        self.parameters.retain(|(_, known)| known["name"] != name);
        let parameter = json!({ "in": place.name(), "name": name, "schema": schema, "description": about });
        self.parameters.push((place, parameter));
    }

    /// Takes a required parameter, as all of the path are.
    pub fn requires(&mut self, place: Place, name: &str, schema: Value, about: &str) {
        self.takes(place, name, schema, about);
        if let Some((_, last)) = self.parameters.last_mut() {
            last["required"] = true.into();
        }
    }

    /// Takes a JSON body.
    pub fn takes_body<T: JsonSchema>(&mut self) {
        let schema = self.schema_of::<T>();
        self.body =
            Some(json!({ "required": true, "content": { "application/json": { "schema": schema } } }));
    }

    /// Answers with that status and no body.
    pub fn answers(&mut self, status: StatusCode, about: &str) {
        let headers = json!({ "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } });
        self.answers.insert(status.as_u16(), json!({ "description": about, "headers": headers }));
    }

    /// Answers with a body of that schema.
    pub fn answers_with(&mut self, status: StatusCode, content_type: &str, schema: Value, about: &str) {
        if !self.answers.contains_key(&status.as_u16()) {
            self.answers(status, about);
        }
        if let Some(answer) = self.answers.get_mut(&status.as_u16()) {
            answer["content"][content_type] = json!({ "schema": schema });
        }
    }

    /// Answers with a value of the wire.
    pub fn answers_json<T: JsonSchema>(&mut self, status: StatusCode, about: &str) {
        let schema = self.schema_of::<T>();
        self.answers_with(status, "application/json", schema, about);
    }

    /// The answer with that status carries a header, always or at times.
    pub fn answers_header(&mut self, status: StatusCode, name: &str, schema: Value, about: &str) {
        if let Some(answer) = self.answers.get_mut(&status.as_u16()) {
            answer["headers"][name] = json!({ "schema": schema, "description": about });
        }
    }

    /// May be refused with that problem.
    pub fn refuses(&mut self, code: ErrorCode) {
        let answer = json!({ "$ref": format!("#/components/responses/{code:?}") });
        self.answers.insert(code.status(), answer);
    }

    /// As the document writes it.
    pub fn into_json(mut self, method: &str, summary: &str) -> Value {
        let mut parts = self.path.split('/').skip(1).skip_while(|part| *part == "api");
        let words = self.path.split(['/', '{', '}', '.']).filter(|word| !word.is_empty() && *word != "api");
        let id = words.fold(method.to_owned(), |id, word| format!("{id}_{word}"));
        let answers = self.answers.into_iter().map(|(status, answer)| (status.to_string(), answer));
        let mut json = json!({
            "operationId": id,
            "summary": summary,
            "tags": [parts.next().unwrap_or_default()],
            "security": self.security.unwrap_or(json!([])),
            "responses": answers.collect::<Map<_, _>>(),
        });
        if !self.parameters.is_empty() {
            self.parameters.sort_by_key(|(place, _)| *place);
            json["parameters"] = self.parameters.into_iter().map(|(_, parameter)| parameter).collect();
        }
        if let Some(body) = self.body {
            json["requestBody"] = body;
        }
        json
    }
}
