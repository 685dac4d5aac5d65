//! Publishing over HTTP: who writes, under which key, and what they are answered.

use std::marker::PhantomData;

use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use shared::{
    Ack, ErrorCode, Identity, Key, Malformed, NAME_GRAMMAR, Payload, Problem, Topic, TopicKind, endpoint,
};

use crate::http::{ApiError, AppState, Described, Operation, Place, Refusal};
use crate::realtime::{Appended, Outcome, Visitor};

/// The rule of a topic's name: see [`NAME_GRAMMAR`].
pub const NAME_PATTERN: &str = "[a-z0-9][a-z0-9_-]{0,62}";

/// Somebody who may write now: signed in, within their rate, with an idempotency key.
pub struct Writer {
    /// Who.
    pub who: Identity,
    /// Their name for what they publish.
    pub key: Key,
}

impl FromRequestParts<AppState> for Writer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Writer, ApiError> {
        let who = Visitor::from_request_parts(parts, app).await?.identity;
        app.rates.publish(&who.id).inspect_err(|_| app.meters.refused(Refusal::IdentityPublishes))?;
        let given = parts.headers.get(endpoint::IDEMPOTENCY_KEY);
        let refused = |rule: &str| ApiError::from(Problem::invalid_field(endpoint::IDEMPOTENCY_KEY, rule));
        let given =
            given.ok_or_else(|| refused("is missing: send a key of your own making with every publish"))?;
        let given = given.to_str().unwrap_or_default();
        // Quoted, as the draft of the IETF writes it, or plain, as most write it: the same key.
        let plain = given.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(given);
        let key = Key::try_from(plain).map_err(|error| refused(error.0))?;
        Ok(Writer { who, key })
    }
}

impl Described for Writer {
    fn describe(operation: &mut Operation<'_>) {
        Visitor::describe(operation);
        let key = operation.schema_of::<Key>();
        let about = "Your own name for what you publish, new for each thing and the same when you try again.";
        operation.requires(Place::Header, endpoint::IDEMPOTENCY_KEY, key, about);
        operation.refuses(ErrorCode::Invalid);
        operation.refuses(ErrorCode::TooMany);
    }
}

/// The topic of kind `Kind` whose name stands last in the path among its `{parts}`.
pub struct Named<Kind> {
    /// Which one.
    pub topic: Topic,
    kind: PhantomData<Kind>,
}

impl<Kind: TopicKind> FromRequestParts<AppState> for Named<Kind> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Named<Kind>, ApiError> {
        let named = RawPathParams::from_request_parts(parts, app).await;
        let named = named.map_err(|rejection| crate::http::error::of_status(rejection.status()))?;
        let (part, name) = named.iter().last().unwrap_or_default();
        let topic = Kind::topic(name).map_err(|_| ApiError::field(part, Malformed(NAME_GRAMMAR)))?;
        Ok(Named { topic, kind: PhantomData })
    }
}

impl<Kind: TopicKind> Described for Named<Kind> {
    fn describe(operation: &mut Operation<'_>) {
        let name = operation.names_in_path().pop().unwrap_or_default();
        let schema = json!({ "type": "string", "pattern": format!("^{NAME_PATTERN}$") });
        operation.requires(Place::Path, &name, schema, "The name of a topic.");
        operation.refuses(ErrorCode::Invalid);
    }
}

/// What a writer is told once the event is durable: 201, or 200 when an earlier request had done it.
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
            crate::http::error::of_status(StatusCode::INTERNAL_SERVER_ERROR)
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
