//! Publishing over HTTP: who writes, under which key, and what they are answered.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::{Ack, Identity, Key, Payload, Problem, Topic, endpoint};

use crate::http::{ApiError, AppState, Refusal};
use crate::realtime::{Appended, Outcome, Visitor};

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
        let key = Key::try_from(given.to_str().unwrap_or_default()).map_err(|error| refused(error.0))?;
        Ok(Writer { who, key })
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
