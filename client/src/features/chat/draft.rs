//! The draft of a room: what was begun there and not sent. The tab keeps it across a reload.

use leptos::prelude::*;

use crate::browser::Storage;
use crate::ui::live;

/// The draft of `room`, kept with every change for as long as the calling component lives.
pub(super) fn use_draft(room: &str) -> RwSignal<String> {
    let name = format!("duplex:draft:{room}");
    let draft = RwSignal::new(Storage::Tab.read(&name).unwrap_or_default());
    Effect::new(live(move || match draft.read().as_str() {
        "" => Storage::Tab.remove(&name),
        // Where it cannot be kept it ends with the page, as in any other form.
        text => drop(Storage::Tab.write(&name, text)),
    }));
    draft
}
