//! The lobby's list of rooms.

use std::cmp::Reverse;

use axum::Json;
use axum::extract::State;
use shared::features::chat::{FIRST_ROOM, Room, RoomSummary, Rooms, room_topic};
use shared::{Part, Seq, TopicKind};

use server::http::{ApiError, AppState};
use server::realtime::{Range, Visitor, Which};

/// Nobody looks through more of them.
const ROOMS_MAX: u32 = 100;

/// The rooms with the latest lines, the latest first, and the first room wherever it belongs.
pub async fn list(State(app): State<AppState>, _visitor: Visitor) -> Result<Json<Rooms>, ApiError> {
    let mut heads = app.node.heads(Which::Newest(Room::NAMESPACE, ROOMS_MAX)).await?.heads;
    let first = room_topic(FIRST_ROOM).expect("the first room's name keeps the grammar");
    heads.entry(first).or_insert(Seq::ZERO);
    let mut rooms = Vec::with_capacity(heads.len());
    for (topic, head) in heads {
        let newest = Range { part: Part::Newest, epoch: None, limit: 1 };
        let mut page = app.node.page(&topic, newest, head).await?;
        let (name, online) = (topic.name().to_owned(), app.node.online(&topic));
        rooms.push(RoomSummary { name, head: page.head, online, last: page.events.pop() });
    }
    rooms.sort_by_key(|room| Reverse(room.last.as_ref().map(|event| event.at)));
    Ok(Json(Rooms { rooms }))
}
