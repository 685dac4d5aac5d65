//! The route that posts a message.

use axum::extract::State;
use shared::features::chat::{ChatEvent, MessageText, NewMessage, Room};

use server::http::{ApiError, AppState, Body, Published, TopicName, Writer};

/// Publishes a message in a room.
pub async fn post(
    State(app): State<AppState>,
    writer: Writer,
    room: TopicName<Room>,
    Body(new): Body<NewMessage>,
) -> Result<Published, ApiError> {
    let text = MessageText::parse(&new.text).map_err(|error| ApiError::field("text", error))?;
    app.publish(writer, room.topic, &ChatEvent::Posted { text }).await
}
