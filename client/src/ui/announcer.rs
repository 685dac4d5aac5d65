//! `Announcer`: says what is new to those who do not see it.
//!
//! What is on the screen cannot be the live region itself: older messages that are scrolled in would all be
//! read aloud. So news are written, in words, into a region of their own.

use std::time::Duration;

use leptos::prelude::*;

/// Long enough to be read aloud from the beginning.
const SAID_FOR: Duration = Duration::from_secs(10);

/// Speaks through [`AnnouncerRegion`]. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Announcer(RwSignal<String>);

impl Announcer {
    /// Makes it and hands it to everything below the caller.
    pub fn provide() {
        provide_context(Announcer(RwSignal::default()));
    }

    /// Says it when nothing else is being said.
    pub fn say(self, mut text: String) {
        // The same words once more are only noticed when they are not the same text.
        if *self.0.read_untracked() == text {
            text.push('\u{a0}');
        }
        self.0.set(text.clone());
        // What is over must not be found there later by somebody who reads on.
        let forget = move || {
            if self.0.with_untracked(|said| *said == text) {
                self.0.set(String::new());
            }
        };
        set_timeout(forget, SAID_FOR);
    }
}

/// The [`Announcer`] that the app provides.
pub fn use_announcer() -> Announcer {
    use_context().expect("the app provides it to every page")
}

/// The region itself; one a page.
#[component]
pub fn AnnouncerRegion() -> impl IntoView {
    let Announcer(text) = use_announcer();
    view! { <div class="visually-hidden" role="log" aria-live="polite" aria-label="TopicUpdate">{text}</div> }
}
