//! Where posts outlive the page: one item of the browser's storage for each.
//!
//! An item of its own can be written and removed without reading the others, so tabs need no lock.

use leptos::prelude::window_event_listener_untyped;
use shared::{Key, UserId};
use wasm_bindgen::JsCast;
use web_sys::StorageEvent;

use super::PendingPost;
use crate::browser::{self, Storage};

const PREFIX: &str = "duplex:post:";
/// Who is signed in, for all tabs to know at once.
const OWNER: &str = "duplex:me";
/// Its value once somebody has signed out.
const NOBODY: &str = "";

/// What another tab has changed.
pub(super) enum Change {
    /// The posts, or one of them.
    Posts,
    /// Who is signed in.
    Owner,
}

/// Tells the other tabs who is signed in. Where it cannot be told, each tab finds out by itself.
pub(super) fn set_owner(owner: Option<&UserId>) {
    let _ = Storage::Browser.write(OWNER, owner.map_or(NOBODY, |UserId(id)| id));
}

/// True if the browser has forgotten everything: nobody is signed in, and nobody has signed out.
pub(super) fn is_cleared() -> bool {
    Storage::Browser.read(OWNER).is_none()
}

/// Whether a tab of this browser was signed in as somebody else since.
pub(super) fn is_of_another(me: &UserId) -> bool {
    Storage::Browser.read(OWNER).is_some_and(|owner| *owner != *me.0)
}

/// Keeps a post as it is now. Tells whether the browser let us.
pub(super) fn write(post: &PendingPost) -> bool {
    post.to_json().is_some_and(|text| Storage::Browser.write(&name(&post.key), &text))
}

/// Forgets a post.
pub(super) fn remove(key: &Key) {
    Storage::Browser.remove(&name(key));
}

/// Whether a post is kept.
pub(super) fn holds(key: &Key) -> bool {
    Storage::Browser.read(&name(key)).is_some()
}

/// The posts of one person.
pub(super) fn read(author: &UserId) -> Vec<PendingPost> {
    all().filter(|post| post.author == *author).collect()
}

/// Forgets the posts of one person.
pub(super) fn forget(author: &UserId) {
    all().filter(|post| post.author == *author).for_each(|post| remove(&post.key));
}

/// Forgets the posts of everybody else: their sign-ins have ended, and nobody could ever send them.
pub(super) fn forget_others(author: &UserId) {
    all().filter(|post| post.author != *author).for_each(|post| remove(&post.key));
}

/// Calls `act` whenever another tab has changed what is kept here.
pub(super) fn on_change(act: impl Fn(Change) + 'static) {
    window_event_listener_untyped("storage", move |event| {
        match event.dyn_ref::<StorageEvent>().and_then(StorageEvent::key).as_deref() {
            Some(OWNER) => act(Change::Owner),
            Some(name) if !name.starts_with(PREFIX) => {}
            // No name means that everything was cleared.
            _ => act(Change::Posts),
        }
    });
}

/// What another version wrote, and this one cannot read, is left alone.
fn all() -> impl Iterator<Item = PendingPost> {
    let (names, now) = (Storage::Browser.names(PREFIX).into_iter(), browser::node_ms());
    names.filter_map(move |name| PendingPost::from_json(&Storage::Browser.read(&name)?, now))
}

fn name(key: &Key) -> String {
    format!("{PREFIX}{}", key.as_str())
}
