//! The outbox's storage: one item of the browser's storage for each post.
//!
//! An item of its own can be written and removed without reading the others, so tabs need no lock.

use leptos::prelude::window_event_listener_untyped;
use shared::{Key, UserId};
use wasm_bindgen::JsCast;
use web_sys::StorageEvent;

use super::pending_post::PendingPost;
use crate::browser::{self, WebStorage};

const PREFIX: &str = "duplex:post:";
/// The item that holds the id of the user who is signed in, for all tabs.
const OWNER: &str = "duplex:me";
/// The value of [`OWNER`] after a sign-out.
const NOBODY: &str = "";

/// Tells the other tabs who is signed in. Without storage each tab finds out by itself.
pub(super) fn set_owner(owner: Option<&UserId>) {
    let _ = WebStorage::Browser.write(OWNER, owner.map_or(NOBODY, |UserId(id)| id));
}

/// True if the storage was cleared: it names no owner, though signing out would have left [`NOBODY`].
pub(super) fn is_cleared() -> bool {
    WebStorage::Browser.read(OWNER).is_none()
}

/// True if another tab has signed in as somebody else, or signed out.
pub(super) fn is_owned_by_another(me: &UserId) -> bool {
    WebStorage::Browser.read(OWNER).is_some_and(|owner| *owner != *me.0)
}

/// Stores a post in its present state. Returns false if the browser refuses.
pub(super) fn write(post: &PendingPost) -> bool {
    post.to_json().is_some_and(|text| WebStorage::Browser.write(&name(&post.key), &text))
}

/// Removes a post.
pub(super) fn remove(key: &Key) {
    WebStorage::Browser.remove(&name(key));
}

/// True if the post is stored.
pub(super) fn contains(key: &Key) -> bool {
    WebStorage::Browser.read(&name(key)).is_some()
}

/// Reads the posts of one author.
pub(super) fn read(author: &UserId) -> Vec<PendingPost> {
    all().filter(|post| post.author == *author).collect()
}

/// Removes the posts that match.
pub(super) fn remove_where(matches: impl Fn(&PendingPost) -> bool) {
    all().filter(matches).for_each(|post| remove(&post.key));
}

/// Calls `on_posts` whenever another tab stores or removes posts, and `on_owner` whenever it signs in or out.
pub(super) fn on_change(on_posts: impl Fn() + 'static, on_owner: impl Fn() + 'static) {
    window_event_listener_untyped("storage", move |event| {
        match event.dyn_ref::<StorageEvent>().and_then(StorageEvent::key).as_deref() {
            Some(OWNER) => on_owner(),
            Some(name) if !name.starts_with(PREFIX) => {}
            // An event without a name means that everything was cleared.
            _ => on_posts(),
        }
    });
}

/// All posts that this version can read. What another version wrote stays in storage.
fn all() -> impl Iterator<Item = PendingPost> {
    let now = browser::node_ms();
    let names = WebStorage::Browser.names(PREFIX).into_iter();
    names.filter_map(move |name| PendingPost::from_json(&WebStorage::Browser.read(&name)?, now))
}

fn name(key: &Key) -> String {
    format!("{PREFIX}{}", key.as_str())
}
