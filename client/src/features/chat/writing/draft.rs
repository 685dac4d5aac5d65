//! The draft of a room: the text that is being written there. The tab stores it across a reload.

use std::time::Duration;

use leptos::prelude::*;
use shared::UserId;

use crate::account::{Account, SignInState, use_account};
use crate::browser::{self, WebStorage};
use crate::ui::reactive;

/// The longest time for which a draft is only in memory. Writing to storage on every key would be slow.
const SAVE_AFTER: Duration = Duration::from_millis(400);

/// The draft of `room`, which is saved for its author when the calling component ends.
pub fn use_draft(room: &str) -> RwSignal<String> {
    let account = use_account();
    let author = untrack(|| account.identity()).map(|me| me.id);
    let name = author.as_ref().map_or_else(String::new, |me| format!("duplex:draft:{me}:{room}"));
    let draft = RwSignal::new(WebStorage::Tab.read(&name).unwrap_or_default());
    let name = StoredValue::new(name);
    let is_unsaved = StoredValue::new(false);
    let save = move || {
        if is_unsaved.try_get_value() == Some(true) {
            is_unsaved.set_value(false);
            name.with_value(|name| draft.with_untracked(|draft| store(name, draft)));
        }
    };
    Effect::new(reactive(move || {
        let is_empty = draft.read().is_empty();
        let was_unsaved = is_unsaved.get_value();
        is_unsaved.set_value(true);
        if is_empty {
            // A text that was sent must not come back after a crash.
            save();
        } else if !was_unsaved {
            set_timeout(save, SAVE_AFTER);
        }
    }));
    browser::on_window_event("pagehide", save);
    on_cleanup(move || {
        if may_belong_to(account, author.as_ref()) {
            save();
        }
    });
    draft
}

/// Stores a draft. If the browser refuses, the draft ends with the document, as in any other form.
fn store(name: &str, draft: &str) {
    match draft {
        "" => WebStorage::Tab.remove(name),
        draft => drop(WebStorage::Tab.write(name, draft)),
    }
}

/// True unless the author has signed out: then the tab must not store anything of theirs.
fn may_belong_to(account: Account, author: Option<&UserId>) -> bool {
    account.sign_in().with_untracked(|sign_in| match sign_in {
        SignInState::SignedIn(me) => Some(&me.id) == author,
        SignInState::SignedOut => false,
        SignInState::Checking | SignInState::Unreachable(_) => true,
    })
}
