//! `UserMenu`: the menu of the user who is signed in.
//!
//! The menu is a popover: the browser opens it, closes it on Escape and on a click elsewhere, and exposes it to
//! assistive technology.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::Identity;

use super::current::use_account;
use super::name_form::NameForm;
use crate::realtime::use_realtime;
use crate::ui::{Avatar, focus_on, isolate_bidi, problem_text, reactive, use_notices};

const BUTTON: &str = "user-menu";
const RENAME: &str = "rename";

/// A button with the user's avatar and name, and the menu that it opens. It is rendered again, and so closed, when the
/// name changes.
#[component]
pub fn UserMenu(
    /// The identity that is signed in.
    identity: Identity,
) -> impl IntoView {
    let is_renaming = RwSignal::new(false);
    let name = identity.name.to_string();
    let actions = {
        let name = name.clone();
        reactive(move || match is_renaming.get() {
            true => view! { <RenameForm name=name.clone() is_open=is_renaming/> }.into_any(),
            false => view! { <Actions name=name.clone() is_renaming/> }.into_any(),
        })
    };
    view! {
        <button
            id=BUTTON class="user-button" type="button" popovertarget="user-actions"
            on:click=move |_| is_renaming.set(false)
        >
            <Avatar identity/>
            <bdi class="user-name">{name}</bdi>
            <span class="visually-hidden">": your menu"</span>
        </button>
        <div id="user-actions" class="menu" popover="auto">{actions}</div>
    }
}

#[component]
fn Actions(name: String, is_renaming: RwSignal<bool>) -> impl IntoView {
    let account = use_account();
    let notices = use_notices();
    let realtime = use_realtime();
    let sign_out = move |_| {
        if untrack(|| realtime.is_away()) {
            return notices.warn("You're still signed in. To sign out, wait until you're connected.");
        }
        // Disconnect first: the node closes the socket of a sign-in that has ended, which would look like a sign-out
        // elsewhere.
        realtime.pause();
        spawn_local(async move {
            match account.sign_out().await {
                // Nobody can sign in to this account again, so nobody could ever send its posts.
                Ok(()) => realtime.forget_unsent(),
                // The app has reconnected, since the sign-in is still valid.
                Err(problem) => notices.warn(format!("You're still signed in. {}", problem_text(&problem))),
            }
        });
    };
    let warning = reactive(move || discard_warning(realtime.unsent()));
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

/// The warning about unsent messages that signing out discards; empty if there are none.
fn discard_warning(unsent: usize) -> String {
    match unsent {
        0 => String::new(),
        1 => "One message is not sent yet. Signing out discards it.".into(),
        many => format!("{many} messages are not sent yet. Signing out discards them."),
    }
}

#[component]
fn RenameForm(name: String, is_open: RwSignal<bool>) -> impl IntoView {
    let notices = use_notices();
    let before = name.clone();
    let done = move |now: String| {
        focus_on(BUTTON);
        if now != before {
            notices
                .inform(format!("You're now {}. Earlier messages keep your old name.", isolate_bidi(&now)));
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
