//! The demo: people in rooms write lines. A room exists once somebody has written in it; the first
//! one is there from the start.

mod messages;
mod rooms;

use async_trait::async_trait;
use shared::features::chat::{MESSAGES, ROOMS, Room};
use shared::{Identity, Topic};

use server::http::{Feature, Routes};
use server::realtime::AccessRule;

/// What the node needs to know of it.
pub fn feature() -> Feature {
    let routes = Routes::new()
        .get(
            ROOMS,
            "The hundred rooms with the latest lines, the latest first, and `general` in any case.",
            rooms::list,
        )
        .post(MESSAGES, "Writes a line in a room.", messages::post);
    Feature::of::<Room>(routes, Everyone)
}

/// Every room is open to everyone who is signed in.
struct Everyone;

#[async_trait]
impl AccessRule for Everyone {
    async fn may_read(&self, _who: &Identity, _topic: &Topic) -> bool {
        true
    }
}
