//! The demo: people in rooms write lines. A room exists once somebody has written in it; the first
//! one is there from the start.

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
            "The hundred rooms with the latest lines, the latest first, and `general` in any case.",
            rooms::list,
        )
        .post(MESSAGES, "Writes a line in a room.", messages::post);
    Feature::of::<Room>(routes, Everyone)
}
