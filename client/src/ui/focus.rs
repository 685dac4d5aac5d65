//! The focus, and when a page may move it.

use leptos::prelude::window;

/// Whether there is a mouse, and so hardly a keyboard on the screen that a focused field would bring up.
pub fn has_fine_pointer() -> bool {
    window().match_media("(pointer: fine)").ok().flatten().is_some_and(|query| query.matches())
}
