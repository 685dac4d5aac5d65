//! The demo: rooms in which users write messages. `cargo xtask delete-demo` deletes all of it.
//!
//! The modules in reading order: the state of a room and its rows, the components of the open room, and the list of
//! rooms beside it.

mod addresses;
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
mod paths;
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
use paths::{HOME, ROOMS_PATH};
use room_screen::RoomScreen;
use sidebar::Sidebar;

/// The lobby at `/`, a room at `/rooms/{name}`.
pub const FEATURE: Feature = Feature {
    claims: |path| path == "/" || path.starts_with(ROOMS_PATH),
    view: || view! { <ChatView/> }.into_any(),
    home: Some(HOME),
};

/// The list of rooms beside the lobby or the open room. A narrow screen shows one of the two.
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
