//! Posting a line.

use axum::extract::{Path, State};
use shared::features::chat::{ChatEvent, MessageText, NewMessage, room_topic};

use crate::http::{ApiError, AppState, Body, Published, Writer};

/// Publishes a line in a room.
pub async fn post(
    State(app): State<AppState>,
    writer: Writer,
    Path(room): Path<String>,
    Body(new): Body<NewMessage>,
) -> Result<Published, ApiError> {
    let topic = room_topic(&room).map_err(|error| ApiError::field("room", error))?;
    let text = MessageText::parse(&new.text).map_err(|error| ApiError::field("text", error))?;
    app.publish(writer, topic, &ChatEvent::Posted { text }).await
}
