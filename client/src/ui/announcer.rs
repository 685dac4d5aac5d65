//! `Announcer`: announces news to users of screen readers.
//!
//! The visible list cannot be the live region itself: older messages that are scrolled in would all be read aloud. So
//! the text of an announcement goes into a hidden region of its own.

use std::time::Duration;

use leptos::prelude::*;

/// The time for which an announcement stays: long enough for a screen reader to start reading it.
const SHOWN_FOR: Duration = Duration::from_secs(10);

/// The announcement in [`AnnouncerRegion`]. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Announcer(RwSignal<String>);

impl Announcer {
    /// Creates the announcer and provides it to everything below the caller.
    pub fn provide() {
        provide_context(Announcer(RwSignal::default()));
    }

    /// Announces a text, without interrupting the screen reader.
    pub fn say(self, mut text: String) {
        // Screen readers ignore a region that is set to the same text.
        if *self.0.read_untracked() == text {
            text.push('\u{a0}');
        }
        self.0.set(text.clone());
        // Somebody who reads through the document must not come across old announcements.
        let clear = move || {
            if self.0.with_untracked(|shown| *shown == text) {
                self.0.set(String::new());
            }
        };
        set_timeout(clear, SHOWN_FOR);
    }
}

/// Returns the [`Announcer`] that the app provides.
pub fn use_announcer() -> Announcer {
    use_context().expect("the app provides it to every view")
}

/// The live region, invisible. There is one in the app.
#[component]
pub fn AnnouncerRegion() -> impl IntoView {
    let Announcer(text) = use_announcer();
    view! { <div class="visually-hidden" role="log" aria-live="polite" aria-label="News">{text}</div> }
}
