//! The lobby's list of rooms.

use axum::Json;
use axum::extract::State;
use shared::features::chat::{FIRST_ROOM, Room, RoomSummary, Rooms, room_topic};
use shared::{Part, TopicKind};

use realtime::{Heads, HeadsOf, Range};
use server::http::{ApiError, AppState, SignedIn};

/// Rooms in the list; nobody looks through more.
const ROOMS_MAX: u32 = 100;

/// Lists the rooms with the latest messages, the latest first, and the first room even without any.
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
        rooms.push(RoomSummary {
            name: topic.name().to_owned(),
            head: page.head,
            online: app.node.online(&topic),
            last: page.events.pop(),
        });
    }
    Ok(Json(Rooms { rooms }))
}
