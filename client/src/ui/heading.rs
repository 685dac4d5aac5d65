//! The page as a whole: its heading, which takes the focus when a person arrives, and the title of the tab.

use leptos::prelude::*;

use super::{focus_on, reactive};
use crate::browser;

/// What the app is called wherever it says its name.
pub const APP_NAME: &str = "Duplex";

/// The title of the tab: where one is, and how much came while nobody looked. Cheap to copy.
#[derive(Clone, Copy)]
pub struct TabTitle {
    page: RwSignal<String>,
    unread: RwSignal<u64>,
    has_arrived: StoredValue<bool>,
}

impl TabTitle {
    /// Makes it, keeps the tab's title up to date, and hands it to everything below the caller.
    pub fn provide() {
        let title = TabTitle {
            page: RwSignal::default(),
            unread: RwSignal::new(0),
            has_arrived: StoredValue::new(false),
        };
        Effect::new(reactive(move || document().set_title(&compose(&title.page.read(), title.unread.get()))));
        window_event_listener_untyped("visibilitychange", move |_| {
            if !browser::is_hidden() {
                title.unread.set(0);
            }
        });
        provide_context(title);
    }

    /// So many more things came; counted only while nobody looks.
    pub fn add_unread(self, count: u64) {
        if count > 0 && browser::is_hidden() {
            self.unread.update(|unread| *unread += count);
        }
    }
}

/// The [`TabTitle`] that the app provides.
pub fn use_tab_title() -> TabTitle {
    use_context().expect("the app provides it to every page")
}

/// The one `h1` of a page. It names the tab and takes the focus, so that a change of page is read aloud; not
/// so on the first page, where the browser reads it by itself.
#[component]
pub fn Heading(
    /// What it says.
    #[prop(into)]
    text: String,
    /// What tests and links know it by.
    #[prop(default = "heading")]
    id: &'static str,
) -> impl IntoView {
    let title = use_tab_title();
    title.page.set(text.clone());
    if title.has_arrived.get_value() {
        focus_on(id);
    }
    title.has_arrived.set_value(true);
    view! { <h1 id=id tabindex="-1">{text}</h1> }
}

fn compose(page: &str, unread: u64) -> String {
    let name = match page {
        "" => APP_NAME.to_owned(),
        page if page.ends_with(APP_NAME) => page.to_owned(),
        page => format!("{page} · {APP_NAME}"),
    };
    if unread == 0 { name } else { format!("({unread}) {name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_tells_the_page_and_what_is_unread_and_the_name_of_the_app_once() {
        assert_eq!(compose("", 0), "Duplex");
        assert_eq!(compose(&format!("Welcome to {APP_NAME}"), 0), "Welcome to Duplex");
        assert_eq!(compose("news", 0), "news · Duplex");
        assert_eq!(compose("news", 3), "(3) news · Duplex");
    }
}
