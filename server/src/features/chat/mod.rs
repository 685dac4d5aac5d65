//! The demo: people in rooms write lines. A room exists once somebody has written in it.

mod messages;
mod rooms;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::routing::{get, post};
use shared::features::chat::{MESSAGES, ROOMS, Room};
use shared::{Identity, Topic, TopicKind};

use crate::http::Feature;
use crate::realtime::AccessRule;

/// What the node needs to know of it.
pub fn feature() -> Feature {
    Feature {
        namespace: Room::NAMESPACE,
        routes: Router::new().route(ROOMS, get(rooms::list)).route(MESSAGES, post(messages::post)),
        access: Arc::new(Everyone),
    }
}

/// Every room is open to everyone who is signed in.
struct Everyone;

#[async_trait]
impl AccessRule for Everyone {
    async fn may_read(&self, _who: &Identity, _topic: &Topic) -> bool {
        true
    }
}
