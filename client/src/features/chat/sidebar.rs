//! `Sidebar`: the rooms, live: who said what last, when, and what is unread.

use leptos::prelude::*;

use super::live_rooms::{LiveRooms, use_rooms};
use super::lobby::FIELD;
use super::path_of;
use super::room_list::RoomEntry;
use crate::address::use_address;
use crate::realtime::use_realtime;
use crate::ui::{Icon, IconName, focus_on, reactive, time};

/// The list, with what to say while there is none.
#[component]
pub(super) fn Sidebar() -> impl IntoView {
    let rooms = use_rooms();
    let names = Memo::new(move |_| {
        rooms.list.with(|list| list.rooms().iter().map(|room| room.name.clone()).collect::<Vec<_>>())
    });
    let realtime = use_realtime();
    let hint = reactive(move || {
        let is_loaded = rooms.list.with(|list| list.is_loaded());
        match names.with(Vec::is_empty) {
            true if is_loaded => "No rooms yet. Start one; it shows up here with its first message.",
            true if realtime.is_away() => "LiveRooms will appear once you're connected.",
            true if rooms.problem().is_some() => "",
            true => "Loading rooms…",
            false => "",
        }
    });
    let trouble = reactive(move || match rooms.problem() {
        None => ().into_any(),
        Some(words) => view! {
            <div class="bar" role="alert">
                <p>"The list may be out of date. " {words}</p>
                <button class="link-button" type="button" on:click=move |_| rooms.ask()>"Retry"</button>
            </div>
        }
        .into_any(),
    });
    // After the lobby has put the focus on its heading.
    let name_it = |_| request_animation_frame(|| focus_on(FIELD));
    view! {
        <nav class="sidebar" aria-label="Rooms">
            <div class="sidebar-head">
                <h2>"Rooms"</h2>
                <a class="icon-button" href="/" title="New room" on:click=name_it>
                    <Icon name=IconName::Plus/><span class="visually-hidden">"New room"</span>
                </a>
            </div>
            {trouble}
            <p class="sidebar-hint" role="status">{hint}</p>
            <ul class="room-list">
                <For each=move || names.get() key=String::clone let:name><RoomLink rooms name/></For>
            </ul>
        </nav>
    }
}

#[component]
fn RoomLink(rooms: LiveRooms, name: String) -> impl IntoView {
    let (address, href) = (use_address(), path_of(&name));
    let here = href.clone();
    let of = name.clone();
    let room = Memo::new(move |_| rooms.list.with(|list| list.find(&name).cloned()));
    let is_here = reactive(move || (address.path() == here).then_some("page"));
    let now = rooms.now;
    view! {
        <li>
            <a class="room-link" href=href data-room=of aria-current=is_here>
                {reactive(move || room.get().map(|room| look_of(&room, now)))}
            </a>
        </li>
    }
}

/// What is inside the link: drawn anew with every line, while the link itself stays and keeps the focus.
fn look_of(room: &RoomEntry, now: RwSignal<shared::Millis>) -> AnyView {
    let time = room.at().map(|at| {
        view! {
            <time class="room-link-time" datetime=time::machine_readable(at) title=time::full(at)>
                {reactive(move || time::relative(at, now.get()))}
            </time>
        }
    });
    let last = room.preview().map(|(author, text)| {
        view! { <span class="room-link-last"><span class="room-link-author"><bdi>{author}</bdi>": "</span><bdi>{text}</bdi></span> }
    });
    let unread = (room.unread > 0).then(|| {
        let count = room.unread.to_string();
        view! { <span class="room-link-unread">{count}<span class="visually-hidden">" unread"</span></span> }
    });
    let online = (room.online > 0).then(|| {
        let (count, people) = (room.online, if room.online == 1 { " person here" } else { " people here" });
        view! { <span class="room-link-online">{count}<span class="visually-hidden">{people}</span></span> }
    });
    let name = room.name.clone();
    view! {
        <span class="room-link-name">{name}</span>
        <span class="room-link-side">{online} {time}</span>
        {last} {unread}
    }
    .into_any()
}
