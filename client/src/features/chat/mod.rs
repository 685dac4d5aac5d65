//! The demo: people in rooms write lines. A lobby, a room, a composer; all of it can be deleted in one
//! command.
//!
//! Reading order: `timeline` and `rows` (what a room's events amount to), `room` (reads a topic),
//! `conversation` (shows it), `arrival` (where a reader lands, and what is read), `composer` (publishes) and `length`
//! (how much fits), `present` and `typing` (who is there, and what they are about to say), `rooms` (the list beside it).

mod arrival;
mod composer;
mod conversation;
mod draft;
mod length;
mod lobby;
mod markup;
mod messages;
mod news;
mod older;
mod place;
mod present;
mod read_marks;
mod room;
mod room_list;
mod room_name;
mod rooms;
mod rows;
mod scroller;
mod sidebar;
mod timeline;
mod typing;
mod typing_line;

use leptos::prelude::*;

use super::Feature;
use crate::address::{decoded, use_address};
use crate::ui::live;
use lobby::Lobby;
use room::RoomPage;
use rooms::Rooms;
use sidebar::Sidebar;

/// What stands before the name of a room in its path.
const ROOMS_PATH: &str = "/rooms/";

/// The room in which a newcomer begins.
const HOME: &str = "/rooms/general";

/// The lobby at `/`, a room at `/rooms/{name}`.
pub const FEATURE: Feature = Feature {
    claims: |path| path == "/" || path.starts_with(ROOMS_PATH),
    view: || view! { <Pages/> }.into_any(),
    home: Some(HOME),
};

/// The rooms beside whatever is open; on a narrow screen one of the two.
#[component]
fn Pages() -> impl IntoView {
    Rooms::provide();
    let address = use_address();
    let open_room = Memo::new(move |_| address.path().strip_prefix(ROOMS_PATH).map(decoded));
    let class = live(move || if open_room.read().is_some() { "chat in-room" } else { "chat" }.to_owned());
    let main = live(move || match open_room.get() {
        Some(name) => view! { <RoomPage name/> }.into_any(),
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
