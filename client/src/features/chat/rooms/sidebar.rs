//! `Sidebar`: the list of rooms, each with its last message, its members and its unread count.

use leptos::prelude::*;

use super::live_rooms::{LiveRooms, use_rooms};
use super::lobby::FIELD;
use super::room_list::RoomEntry;
use crate::address::use_address;
use crate::features::chat::paths::path_of;
use crate::realtime::use_realtime;
use crate::ui::{Icon, focus_on, icons, reactive, time};

/// The list of rooms, or a hint while it is empty.
#[component]
pub fn Sidebar() -> impl IntoView {
    let rooms = use_rooms();
    let names = Memo::new(move |_| {
        rooms.list.with(|list| list.rooms.iter().map(|room| room.name.clone()).collect::<Vec<_>>())
    });
    let realtime = use_realtime();
    let hint = reactive(move || {
        let is_loaded = rooms.list.with(|list| list.is_loaded);
        match names.with(Vec::is_empty) {
            true if is_loaded => "No rooms yet. Start one, and it appears here with its first message.",
            true if realtime.is_away() => "Rooms will appear once you're connected.",
            true if rooms.problem().is_some() => "",
            true => "Loading rooms…",
            false => "",
        }
    });
    let problem = reactive(move || {
        rooms.problem().map(|text| {
            view! {
                <div class="bar" role="alert">
                    <p>"The list may be out of date. " {text}</p>
                    <button class="link-button" type="button" on:click=move |_| rooms.pull()>"Retry"</button>
                </div>
            }
        })
    });
    // One frame later, since the lobby moves the focus to its heading.
    let focus_name = |_| request_animation_frame(|| focus_on(FIELD));
    view! {
        <nav class="sidebar" aria-label="Rooms">
            <div class="sidebar-head">
                <h2>"Rooms"</h2>
                <a class="icon-button" href="/" title="New room" on:click=focus_name>
                    <Icon path=icons::PLUS/><span class="visually-hidden">"New room"</span>
                </a>
            </div>
            {problem}
            <p class="sidebar-hint" role="status">{hint}</p>
            <ul class="room-list">
                <For each=move || names.get() key=String::clone let:name><RoomLink rooms name/></For>
            </ul>
        </nav>
    }
}

#[component]
fn RoomLink(rooms: LiveRooms, name: String) -> impl IntoView {
    let address = use_address();
    let href = path_of(&name);
    let path = href.clone();
    let data_room = name.clone();
    let room = Memo::new(move |_| rooms.list.with(|list| list.find(&name).cloned()));
    let current = reactive(move || (address.path() == path).then_some("page"));
    view! {
        <li>
            <a class="room-link" href=href data-room=data_room aria-current=current>
                {reactive(move || room.get().map(|room| room_link_content(&room, rooms.now)))}
            </a>
        </li>
    }
}

/// The content of the link. It is rendered again with every message, while the link itself stays and keeps the focus.
fn room_link_content(room: &RoomEntry, now: RwSignal<shared::Millis>) -> AnyView {
    let time = room.at().map(|at| {
        view! {
            <time class="room-link-time" datetime=time::machine_readable(at) title=time::full(at)>
                {reactive(move || time::relative(at, now.get()))}
            </time>
        }
    });
    let last = room.preview().map(|(author, text)| {
        view! {
            <span class="room-link-last">
                <span class="room-link-author"><bdi>{author}</bdi>": "</span><bdi>{text}</bdi>
            </span>
        }
    });
    let unread = (room.unread > 0).then(|| {
        view! { <span class="room-link-unread">{room.unread}<span class="visually-hidden">" unread"</span></span> }
    });
    let online = (room.online > 0).then(|| {
        let label = if room.online == 1 { " person here" } else { " people here" };
        view! { <span class="room-link-online">{room.online}<span class="visually-hidden">{label}</span></span> }
    });
    view! {
        <span class="room-link-name">{room.name.clone()}</span>
        <span class="room-link-side">{online} {time}</span>
        {last} {unread}
    }
    .into_any()
}
