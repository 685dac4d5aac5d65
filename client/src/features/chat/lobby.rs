//! `Lobby`: where a person is who is in no room. A room is opened by naming it.

use leptos::prelude::*;
use leptos::{ev, html};

use super::path_of;
use super::room_name::room_name;
use crate::address::use_address;
use crate::ui::{Heading, live};

/// Invites to open a room.
#[component]
pub(super) fn Lobby() -> impl IntoView {
    view! {
        <section class="lobby">
            <Heading text="Open a room"/>
            <p class="lead">"Step into a room that is there, or open one of your own."</p>
            <OpenRoom/>
        </section>
    }
}

#[component]
fn OpenRoom() -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let (typed, is_refused) = (RwSignal::new(String::new()), RwSignal::new(false));
    let address = use_address();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        match room_name(&typed.read_untracked()) {
            Ok(name) => address.go(&path_of(&name)),
            Err(_) => {
                is_refused.set(true);
                if let Some(field) = field.get_untracked() {
                    let _ = field.focus();
                }
            }
        }
    };
    let input = move |event| {
        typed.set(event_target_value(&event));
        is_refused.set(false);
    };
    let problem = live(move || match room_name(&typed.read()) {
        Err(rule) if is_refused.get() => format!("A name {rule}."),
        _ => String::new(),
    });
    let rule = live(move || match room_name(&typed.read()) {
        Ok(name) if name != *typed.read() => format!("The room will be called {name}."),
        _ => "Letters a to z, digits and hyphens. If the room exists, you step into it.".into(),
    });
    view! {
        <form class="open-room" on:submit=submit novalidate>
            <label for="room-name">"Name of the room"</label>
            <div class="field-row">
                <input
                    id="room-name" class="field" type="text" node_ref=field on:input=input
                    placeholder="weekend-plans" autocomplete="off" autocapitalize="none" spellcheck="false"
                    aria-describedby="room-rule room-problem"
                    aria-invalid=live(move || is_refused.get().then_some("true"))
                />
                <button id="room-open" class="button">"Open"</button>
            </div>
            <p id="room-problem" class="field-problem" role="alert">{problem}</p>
            <p id="room-rule" class="hint">{rule}</p>
        </form>
    }
}
