//! `Lobby`: the view of a user who has no room open, with a form to join or start one.

use leptos::{ev, prelude::*};

use super::room_name::{ROOM_NAME_RULE, room_name};
use crate::address::use_address;
use crate::features::chat::paths::{HOME, path_of};
use crate::ui::{AppLinks, Heading, focus_on, reactive, use_skip_link};

/// The id of the field.
pub(super) const FIELD: &str = "room-name";

/// The heading, the form and the links.
#[component]
pub fn Lobby() -> impl IntoView {
    use_skip_link().lead_to(FIELD, "Skip to room name");
    view! {
        <section class="lobby">
            <Heading text="Join a room"/>
            <p class="lead">
                "Pick one " <span class="if-wide">"on the left"</span><span class="if-narrow">"below"</span>
                ", or start a new one."
            </p>
            <JoinForm/>
            <AppLinks second_window=HOME/>
        </section>
    }
}

#[component]
fn JoinForm() -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let is_refused = RwSignal::new(false);
    let address = use_address();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        match room_name(&typed.read_untracked()) {
            Ok(name) => address.go(&path_of(&name)),
            Err(_) => {
                is_refused.set(true);
                focus_on(FIELD);
            }
        }
    };
    let input = move |event| {
        typed.set(event_target_value(&event));
        is_refused.set(false);
    };
    let problem = reactive(move || match room_name(&typed.read()) {
        Err(_) if is_refused.get() => ROOM_NAME_RULE,
        _ => "",
    });
    let rule = reactive(move || match room_name(&typed.read()) {
        Ok(name) if name != *typed.read() => format!("The name will be {name}. If it exists, you join it."),
        _ => "a–z, 0–9 and hyphens. If it exists, you join it.".into(),
    });
    view! {
        <form class="open-room" on:submit=submit novalidate>
            <label for=FIELD>"Room name"</label>
            <div class="field-row">
                <input
                    id=FIELD class="field" type="text" on:input=input
                    placeholder="weekend-plans" autocomplete="off" autocapitalize="none" spellcheck="false"
                    aria-describedby="room-rule room-problem"
                    aria-invalid=reactive(move || is_refused.get().then_some("true"))
                />
                <button id="room-open" class="button">"Join"</button>
            </div>
            <p id="room-problem" class="field-problem" role="alert">{problem}</p>
            <p id="room-rule" class="hint">{rule}</p>
        </form>
    }
}
