//! The place in a room at which the user reads: keeping it, coming back to it, and loading older messages above it.

mod scroller;
pub use scroller::Scroller;

mod scroll_position;

mod older_messages;
pub use older_messages::{OlderMessages, TimelineTop};

mod visit;
pub use visit::RoomVisit;
