//! The draft of a room: the text that was begun there and not sent. The tab keeps it across a reload.

use std::time::Duration;

use leptos::prelude::*;
use shared::UserId;

use crate::account::{Account, SignInState, use_account};
use crate::browser::Storage;
use crate::ui::reactive;

/// So long a draft may be kept only in memory: a key must not wait for the storage.
const SAVE_AFTER: Duration = Duration::from_millis(400);

/// The draft of `room`, kept for as long as the calling component lives, and then for whoever wrote it.
pub(super) fn use_draft(room: &str) -> RwSignal<String> {
    let me = use_account();
    let author = untrack(|| me.identity()).map(|me| me.id);
    let name = author.as_ref().map_or_else(String::new, |me| format!("duplex:draft:{me}:{room}"));
    let draft = RwSignal::new(Storage::Tab.read(&name).unwrap_or_default());
    let (name, is_due) = (StoredValue::new(name), StoredValue::new(false));
    let save = move || {
        if is_due.try_get_value() == Some(true) {
            is_due.set_value(false);
            name.with_value(|name| draft.with_untracked(|draft| keep(name, draft)));
        }
    };
    Effect::new(reactive(move || {
        let is_empty = draft.read().is_empty();
        let was_due = is_due.get_value();
        is_due.set_value(true);
        match is_empty {
            // What was sent must not be there once more after a crash.
            true => save(),
            false if !was_due => set_timeout(save, SAVE_AFTER),
            false => {}
        }
    }));
    let leaving = window_event_listener_untyped("pagehide", move |_| save());
    on_cleanup(move || {
        leaving.remove();
        if is_theirs(me, author.as_ref()) {
            save();
        }
    });
    draft
}

/// Where it cannot be kept it ends with the page, as in any other form.
fn keep(name: &str, draft: &str) {
    match draft {
        "" => Storage::Tab.remove(name),
        draft => drop(Storage::Tab.write(name, draft)),
    }
}

/// True if the page is still that of `author`, as far as anybody knows: when somebody has signed out, everything that
/// they left in the tab is forgotten.
fn is_theirs(me: Account, author: Option<&UserId>) -> bool {
    me.sign_in().with_untracked(|sign_in| match sign_in {
        SignInState::SignedIn(me) => Some(&me.id) == author,
        SignInState::SignedOut => false,
        SignInState::Checking | SignInState::Unreachable(_) => true,
    })
}
