//! The demo: rooms in which users write messages. `cargo xtask delete-demo` deletes all of it.
//!
//! This file, `room_screen`, `conversation`, `timeline` and `paths` show how a feature is written. The folders hold
//! what makes a good chat of it: drawing messages, scrolling, writing, presence, and the list of rooms.

mod room_screen;
use room_screen::RoomScreen;

mod conversation;

mod timeline;

mod paths;
use paths::{HOME, ROOMS_PATH};

mod messages;
mod presence;
mod scrolling;
mod writing;

mod rooms;
use rooms::{LiveRooms, Lobby, Sidebar};

use leptos::prelude::*;

use super::Feature;
use crate::address::{decoded, use_address};
use crate::ui::reactive;

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
