//! `UserMenu`: who one is, and what one can do about it.
//!
//! Opening, closing on Escape or on a click elsewhere, and telling assistive technology about it are the
//! browser's: the menu is a popover.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::Identity;

use super::name_form::NameForm;
use super::use_me;
use crate::realtime::use_realtime;
use crate::ui::{Avatar, focus_on, live, use_notices};

const BUTTON: &str = "user-menu";

/// A button with the person's face, and the menu behind it. Another name is another menu, and so a closed
/// one.
#[component]
pub fn UserMenu(
    /// Who is signed in.
    person: Identity,
) -> impl IntoView {
    let is_renaming = RwSignal::new(false);
    let name = person.name.to_string();
    let actions = {
        let name = name.clone();
        live(move || match is_renaming.get() {
            true => view! { <Renaming name=name.clone() is_open=is_renaming/> }.into_any(),
            false => view! { <Actions name=name.clone() is_renaming/> }.into_any(),
        })
    };
    view! {
        <button
            id=BUTTON class="user-button" type="button" popovertarget="user-actions"
            on:click=move |_| is_renaming.set(false)
        >
            <Avatar of=person/>
            <span class="user-name">{name}</span>
            <span class="visually-hidden">": your menu"</span>
        </button>
        <div id="user-actions" class="menu" popover="auto">{actions}</div>
    }
}

#[component]
fn Actions(name: String, is_renaming: RwSignal<bool>) -> impl IntoView {
    let (me, notices, realtime) = (use_me(), use_notices(), use_realtime());
    let sign_out = move |_| {
        spawn_local(async move {
            match me.sign_out().await {
                // A guest cannot come back: nobody could ever send it.
                Ok(()) => realtime.forget_unsent(),
                Err(problem) => notices.warn(format!("You are still signed in. {}", problem.detail)),
            }
        });
    };
    let warning = live(move || loss(realtime.unsent()));
    view! {
        <p class="menu-text">"You are " <strong>{name}</strong></p>
        <button id="rename" class="menu-item" type="button" on:click=move |_| is_renaming.set(true)>
            "Change name"
        </button>
        <button
            id="sign-out" class="menu-item" type="button" aria-describedby="sign-out-loss" on:click=sign_out
        >
            "Sign out"
        </button>
        <p id="sign-out-loss" class="menu-text menu-warning">{warning}</p>
        <p class="menu-text hint">"Signing out forgets you in this browser, in all its windows."</p>
    }
}

/// What signing out destroys.
fn loss(unsent: usize) -> String {
    match unsent {
        0 => String::new(),
        1 => "One message is not sent yet. Signing out discards it.".into(),
        many => format!("{many} messages are not sent yet. Signing out discards them."),
    }
}

#[component]
fn Renaming(name: String, is_open: RwSignal<bool>) -> impl IntoView {
    let notices = use_notices();
    let done = move |()| {
        focus_on(BUTTON);
        notices.tell("Your name is changed. What you have written keeps the name it was written under.");
    };
    view! {
        <div class="menu-form">
            <NameForm name action="Save" on_done=done/>
            <button class="link-button" type="button" on:click=move |_| is_open.set(false)>"Cancel"</button>
        </div>
    }
}
