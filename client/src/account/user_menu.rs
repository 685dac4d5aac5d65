//! `UserMenu`: who one is, and what one can do about it.
//!
//! Opening, closing on Escape or on a click elsewhere, and telling assistive technology about it are the
//! browser's: the menu is a popover.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::Identity;

use super::name_form::NameForm;
use super::use_account;
use crate::realtime::use_realtime;
use crate::ui::{Avatar, focus_on, isolate_bidi, problem_text, reactive, use_notices};

const BUTTON: &str = "user-menu";
const RENAME: &str = "rename";

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
        reactive(move || match is_renaming.get() {
            true => view! { <Renaming name=name.clone() is_open=is_renaming/> }.into_any(),
            false => view! { <Actions name=name.clone() is_renaming/> }.into_any(),
        })
    };
    view! {
        <button
            id=BUTTON class="user-button" type="button" popovertarget="user-actions"
            on:click=move |_| is_renaming.set(false)
        >
            <Avatar identity=person/>
            <bdi class="user-name">{name}</bdi>
            <span class="visually-hidden">": your menu"</span>
        </button>
        <div id="user-actions" class="menu" popover="auto">{actions}</div>
    }
}

#[component]
fn Actions(name: String, is_renaming: RwSignal<bool>) -> impl IntoView {
    let (me, notices, realtime) = (use_account(), use_notices(), use_realtime());
    let sign_out = move |_| {
        if untrack(|| realtime.is_away()) {
            return notices
                .warn("You're still signed in. Can't reach the server: sign out once you're connected.");
        }
        // First, or the node would hang up, as it does on those whom somebody else has signed out.
        realtime.pause();
        spawn_local(async move {
            match me.sign_out().await {
                // A guest cannot come back: nobody could ever send it.
                Ok(()) => realtime.forget_unsent(),
                // Connected again, since the page is that of somebody who is signed in.
                Err(problem) => notices.warn(format!("You're still signed in. {}", problem_text(&problem))),
            }
        });
    };
    let warning = reactive(move || loss(realtime.unsent()));
    view! {
        <p class="menu-text">"You're " <strong><bdi>{name}</bdi></strong></p>
        <button id=RENAME class="menu-item" type="button" on:click=move |_| is_renaming.set(true)>
            "Change name"
        </button>
        <button
            id="sign-out" class="menu-item" type="button" aria-describedby="sign-out-loss" on:click=sign_out
        >
            "Sign out"
        </button>
        <p id="sign-out-loss" class="menu-text menu-warning">{warning}</p>
        <p class="menu-text hint">"You can't get this name back after signing out."</p>
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
    let before = name.clone();
    let done = move |now: String| {
        focus_on(BUTTON);
        if now != before {
            notices.tell(format!("You're now {}. Earlier messages keep your old name.", isolate_bidi(&now)));
        }
    };
    let cancel = move |_| {
        is_open.set(false);
        focus_on(RENAME);
    };
    view! {
        <div class="menu-form">
            <NameForm label="Your name" name action="Save" on_done=done/>
            <button class="link-button" type="button" on:click=cancel>"Cancel"</button>
        </div>
    }
}
