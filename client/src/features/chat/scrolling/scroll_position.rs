//! `ScrollPosition`: the place in a room at which a user was reading. The tab stores it until the user comes back.

use shared::Seq;

use crate::browser::WebStorage;

/// The first message in sight, and its distance from the top of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScrollPosition {
    pub(super) seq: Seq,
    /// Pixels from the upper edge of the list to the upper edge of the message.
    pub(super) offset: i32,
}

impl ScrollPosition {
    /// Loads the position at which the user last left the room; `None` if that was the end.
    pub(super) fn load(room: &str) -> Option<ScrollPosition> {
        let (seq, offset) = serde_json::from_str(&WebStorage::Tab.read(&name(room))?).ok()?;
        Some(ScrollPosition { seq, offset })
    }

    /// Saves the position of a user who leaves the room; `None` is the end.
    pub(super) fn save(room: &str, position: Option<ScrollPosition>) {
        match position.and_then(|it| serde_json::to_string(&(it.seq, it.offset)).ok()) {
            // Without storage the user comes back to the end.
            Some(text) => drop(WebStorage::Tab.write(&name(room), &text)),
            None => WebStorage::Tab.remove(&name(room)),
        }
    }
}

fn name(room: &str) -> String {
    format!("duplex:place:{room}")
}
