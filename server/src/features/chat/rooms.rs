//! The lobby's list of rooms.

use axum::Json;
use axum::extract::State;
use shared::features::chat::{FIRST_ROOM, Room, RoomSummary, Rooms, room_topic};
use shared::{Part, TopicKind};

use realtime::{Heads, HeadsOf, Range};
use server::http::{ApiError, AppState, SignedIn};

/// Nobody looks through more of them.
const ROOMS_MAX: u32 = 100;

/// The rooms with the latest lines, the latest first, and the first room wherever it belongs.
pub async fn list(State(app): State<AppState>, _signed_in: SignedIn) -> Result<Json<Rooms>, ApiError> {
    let Heads { heads, mut latest_first, .. } =
        app.node.heads(HeadsOf::Newest(Room::NAMESPACE, ROOMS_MAX)).await?;
    let first = room_topic(FIRST_ROOM).expect("the first room's name keeps the grammar");
    if !heads.contains_key(&first) {
        latest_first.push(first);
    }
    let mut rooms = Vec::with_capacity(latest_first.len());
    for topic in latest_first {
        let newest = Range { part: Part::Newest, epoch: None, limit: 1 };
        let head = heads.get(&topic).copied().unwrap_or_default();
        let mut page = app.node.page(&topic, newest, head).await?;
        let (name, online) = (topic.name().to_owned(), app.node.online(&topic));
        rooms.push(RoomSummary { name, head: page.head, online, last: page.events.pop() });
    }
    Ok(Json(Rooms { rooms }))
}
