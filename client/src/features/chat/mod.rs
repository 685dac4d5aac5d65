//! The demo: people in rooms write lines. A lobby, a room, a composer; all of it can be deleted in one command.
//!
//! Reading order: `timeline` and `rows` (what a room's events amount to), `room` (reads a topic), `conversation` (shows it), `composer`
//! (publishes), `rooms` (the list beside it).

mod composer;
mod conversation;
mod lobby;
mod messages;
mod room;
mod room_list;
mod room_name;
mod rooms;
mod rows;
mod scroller;
mod sidebar;
mod timeline;

use leptos::prelude::*;
use leptos_router::any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute};
use leptos_router::components::{Outlet, ParentRoute, Route};
use leptos_router::hooks::use_location;
use leptos_router::path;

use composer::Drafts;
use lobby::Lobby;
use room::RoomPage;
use rooms::Rooms;
use sidebar::Sidebar;

/// The pages of the demo.
#[component(transparent)]
pub fn ChatRoutes() -> AnyNestedRoute {
    view! {
        <ParentRoute path=path!("") view=Layout>
            <Route path=path!("") view=Lobby/>
            <Route path=path!("rooms/:name") view=RoomPage/>
        </ParentRoute>
    }
    .into_inner()
    .into_any_nested_route()
}

/// The rooms beside whatever is open; on a narrow screen one of the two.
#[component]
fn Layout() -> impl IntoView {
    Rooms::provide();
    Drafts::provide();
    let path = use_location().pathname;
    let class = move || if path.read().starts_with("/rooms/") { "chat in-room" } else { "chat" };
    view! {
        <div class=class>
            <Sidebar/>
            <div class="chat-main"><Outlet/></div>
        </div>
    }
}
