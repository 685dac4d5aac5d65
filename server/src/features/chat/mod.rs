//! The demo: people write messages in rooms. A room exists once somebody has written in it; the first one is there from
//! the start.

mod messages;
mod rooms;

use shared::features::chat::{MESSAGES, ROOMS, Room};

use realtime::Everyone;
use server::http::{Feature, Routes};

/// The feature: two routes, and topics that everyone may read.
pub fn feature() -> Feature {
    let routes = Routes::new()
        .get(
            ROOMS,
            "The hundred rooms with the latest messages, the latest first, and always `general`.",
            rooms::list,
        )
        .post(MESSAGES, "Posts a message in a room.", messages::post);
    Feature::of::<Room>(routes, Everyone)
}
