//! The list of rooms, what the user has read in each, and the form that opens another one.

mod sidebar;
pub use sidebar::Sidebar;

mod lobby;
pub use lobby::Lobby;

mod room_name;
pub use room_name::{ROOM_NAME_RULE, room_name};

mod live_rooms;
pub use live_rooms::{LiveRooms, use_rooms};

mod room_list;

mod read_marks;
