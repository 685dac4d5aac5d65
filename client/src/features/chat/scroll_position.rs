//! `ScrollPosition`: where somebody who scrolled up was reading. The tab keeps it for each room, until they come back.

use shared::Seq;

use crate::browser::Storage;

/// The first line in sight, and where it stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScrollPosition {
    pub(super) seq: Seq,
    /// Pixels from the upper edge of the list to the upper edge of the line.
    pub(super) offset: i32,
}

impl ScrollPosition {
    /// Where the reader was when they last left the room; nothing if that was at the end.
    pub(super) fn kept(room: &str) -> Option<ScrollPosition> {
        let (seq, offset) = serde_json::from_str(&Storage::Tab.read(&name(room))?).ok()?;
        Some(ScrollPosition { seq, offset })
    }

    /// Keeps the place of a reader who leaves the room; nothing for the end.
    pub(super) fn keep(room: &str, place: Option<ScrollPosition>) {
        match place.and_then(|place| serde_json::to_string(&(place.seq, place.offset)).ok()) {
            // Where it cannot be kept, they come back to the end.
            Some(text) => drop(Storage::Tab.write(&name(room), &text)),
            None => Storage::Tab.remove(&name(room)),
        }
    }
}

fn name(room: &str) -> String {
    format!("duplex:place:{room}")
}
