//! The demo: people in rooms write lines. A lobby, a room, a composer; all of it can be deleted in one
//! command.
//!
//! LoadState order: `timeline` and `rows` (what a room's events amount to), `room` (reads a topic),
//! `conversation` (shows it), `visit` (where a reader lands, and what is read), `composer` (publishes) and `length`
//! (how much fits), `present` and `typing` (who is there, and what they are about to say), `rooms` (the list beside it).

mod announcements;
mod composer;
mod conversation;
mod draft;
mod length;
mod live_rooms;
mod lobby;
mod markup;
mod member_list;
mod older_messages;
mod read_marks;
mod room_list;
mod room_name;
mod room_screen;
mod row_view;
mod rows;
mod scroll_position;
mod scroller;
mod sidebar;
mod timeline;
mod typing;
mod typing_indicator;
mod visit;

use leptos::prelude::*;

use super::Feature;
use crate::address::{decoded, use_address};
use crate::ui::reactive;
use live_rooms::LiveRooms;
use lobby::Lobby;
use room_screen::RoomScreen;
use sidebar::Sidebar;

/// What stands before the name of a room in its path.
const ROOMS_PATH: &str = "/rooms/";

/// The room in which a newcomer begins.
const HOME: &str = "/rooms/general";

/// The lobby at `/`, a room at `/rooms/{name}`.
pub const FEATURE: Feature = Feature {
    claims: |path| path == "/" || path.starts_with(ROOMS_PATH),
    view: || view! { <ChatView/> }.into_any(),
    home: Some(HOME),
};

/// The rooms beside whatever is open; on a narrow screen one of the two.
#[component]
fn ChatView() -> impl IntoView {
    LiveRooms::provide();
    let address = use_address();
    let open_room = Memo::new(move |_| address.path().strip_prefix(ROOMS_PATH).map(decoded));
    let class = reactive(move || if open_room.read().is_some() { "chat in-room" } else { "chat" }.to_owned());
    let main = reactive(move || match open_room.get() {
        Some(name) => view! { <RoomScreen name/> }.into_any(),
        None => view! { <Lobby/> }.into_any(),
    });
    view! {
        <div class=class>
            <Sidebar/>
            <div class="chat-main">{main}</div>
        </div>
    }
}

/// Where a room is.
fn path_of(room: &str) -> String {
    format!("{ROOMS_PATH}{room}")
}

#[cfg(test)]
mod tests {
    use shared::features::chat::FIRST_ROOM;

    use super::*;

    #[test]
    fn a_newcomer_begins_in_the_room_that_is_there_from_the_start() {
        assert_eq!(HOME, path_of(FIRST_ROOM));
    }
}
