//! Publishing over HTTP: the extractors and the answer of a feature's routes.

use std::marker::PhantomData;

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use contract::{Described, Operation, Place};
use realtime::{Appended, Outcome};
use serde::Serialize;
use serde_json::json;
use shared::{
    Ack, ErrorCode, Identity, Key, Malformed, NAME_GRAMMAR, NAME_PATTERN, Payload, Problem, Topic, TopicKind,
    endpoint,
};

use crate::http::error::{self, ApiError};
use crate::http::signed_in::SignedIn;
use crate::http::state::AppState;
use crate::telemetry::edge_metrics::Refusal;

/// A person who may publish now: signed in, within their rate, with an idempotency key.
pub struct Writer {
    /// The person.
    pub who: Identity,
    /// The idempotency key of this publish.
    pub key: Key,
}

impl FromRequestParts<AppState> for Writer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Writer, ApiError> {
        let who = SignedIn::from_request_parts(parts, app).await?.0.identity;
        app.rates.publish(&who.id).inspect_err(|_| app.metrics.refused(Refusal::IdentityPublishes))?;
        let given = parts.headers.get(endpoint::IDEMPOTENCY_KEY);
        let refused = |rule: &str| ApiError::from(Problem::invalid_field(endpoint::IDEMPOTENCY_KEY, rule));
        let given =
            given.ok_or_else(|| refused("is missing: send a key of your own making with every publish"))?;
        let given = given.to_str().unwrap_or_default();
        // The IETF draft quotes the key, and most clients do not. Both are the same key.
        let plain = given.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(given);
        let key = Key::try_from(plain).map_err(|error| refused(error.0))?;
        Ok(Writer { who, key })
    }
}

impl Described for Writer {
    fn describe(operation: &mut Operation<'_>) {
        SignedIn::describe(operation);
        let key = operation.schema_of::<Key>();
        let about = "Your own name for what you publish, new for each thing and the same when you try again.";
        operation.requires(Place::Header, endpoint::IDEMPOTENCY_KEY, key, about);
        operation.refuses(ErrorCode::Invalid);
        operation.refuses(ErrorCode::TooMany);
    }
}

/// The topic of kind `Kind` that the last `{name}` of the path names.
pub struct TopicName<Kind> {
    /// The topic.
    pub topic: Topic,
    kind: PhantomData<Kind>,
}

impl<Kind: TopicKind> FromRequestParts<AppState> for TopicName<Kind> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<TopicName<Kind>, ApiError> {
        let named = RawPathParams::from_request_parts(parts, app).await;
        let named = named.map_err(|rejection| error::of_status(rejection.status()))?;
        let (part, name) = named.iter().last().unwrap_or_default();
        let topic = Kind::topic(name).map_err(|_| ApiError::field(part, Malformed(NAME_GRAMMAR)))?;
        Ok(TopicName { topic, kind: PhantomData })
    }
}

impl<Kind: TopicKind> Described for TopicName<Kind> {
    fn describe(operation: &mut Operation<'_>) {
        let name = operation.names_in_path().pop().unwrap_or_default();
        let schema = json!({ "type": "string", "pattern": format!("^{NAME_PATTERN}$") });
        operation.requires(Place::Path, &name, schema, "The name of a topic.");
        operation.refuses(ErrorCode::Invalid);
    }
}

/// The answer to a publish that is durable: 201, or 200 if an earlier request with the same key had published it.
pub struct Published(Appended);

impl AppState {
    /// Publishes `payload` under the writer's name and key.
    pub async fn publish<T: Serialize>(
        &self,
        writer: Writer,
        topic: Topic,
        payload: &T,
    ) -> Result<Published, ApiError> {
        let payload = Payload::of(payload).map_err(|error| {
            tracing::error!(%error, %topic, "a feature's payload cannot be written as JSON");
            error::of_status(StatusCode::INTERNAL_SERVER_ERROR)
        })?;
        Ok(Published(self.node.publish(topic, writer.who, writer.key, payload).await?))
    }
}

impl Described for Published {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_json::<Ack>(StatusCode::CREATED, "It is durable.");
        operation.answers_json::<Ack>(StatusCode::OK, "It was published before, under the same key.");
        let replayed = json!({ "type": "string", "const": "true" });
        let about = "Nothing was published by this request.";
        operation.answers_header(StatusCode::OK, endpoint::IDEMPOTENCY_REPLAYED, replayed, about);
        operation.refuses(ErrorCode::TooLarge);
        operation.refuses(ErrorCode::KeyReused);
    }
}

impl IntoResponse for Published {
    fn into_response(self) -> Response {
        let Appended { event, epoch, outcome } = self.0;
        let ack = Json(Ack { topic: event.topic, epoch, seq: event.seq });
        match outcome {
            Outcome::New => (StatusCode::CREATED, ack).into_response(),
            Outcome::Replayed => {
                (StatusCode::OK, [(endpoint::IDEMPOTENCY_REPLAYED, "true")], ack).into_response()
            }
        }
    }
}
