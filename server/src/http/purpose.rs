//! `Purpose`: why somebody asks who they are.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::json;
use shared::{ErrorCode, Problem};

use crate::http::{ApiError, Described, Operation, Place};

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To know.
    Own,
    /// A socket came to nothing, and browsers hide why: `?for=socket` is refused where a socket would be.
    Socket,
}

impl<S: Sync> FromRequestParts<S> for Purpose {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Purpose, ApiError> {
        let asked = parts.uri.query().into_iter().flat_map(|query| query.split('&'));
        let mut given = asked.filter_map(|field| field.strip_prefix("for="));
        match (given.next(), given.next()) {
            (None, _) => Ok(Purpose::Own),
            (Some("socket"), None) => Ok(Purpose::Socket),
            (_, Some(_)) => Err(Problem::invalid_field("for", "must be given only once").into()),
            (Some(_), None) => Err(Problem::invalid_field("for", "must be socket, or not be given").into()),
        }
    }
}

impl Described for Purpose {
    fn describe(operation: &mut Operation<'_>) {
        let about = "Answers also 429 or 503, as a socket would be answered.";
        operation.takes(Place::Query, "for", json!({ "type": "string", "enum": ["socket"] }), about);
        operation.refuses(ErrorCode::Invalid);
        operation.refuses(ErrorCode::TooMany);
        operation.refuses(ErrorCode::Unavailable);
    }
}
