//! The heading of a screen, which takes the focus when the screen is shown, and the title of the tab.

use leptos::prelude::*;

use super::focus::focus_on;
use super::reactive::reactive;

/// The name of the app.
pub const APP_NAME: &str = "Duplex";

/// The title of the tab: the heading of the screen, and the number of events that came while the tab was hidden. Cheap
/// to copy.
#[derive(Clone, Copy)]
pub struct TabTitle {
    heading: RwSignal<String>,
    unread: RwSignal<u64>,
    has_shown_screen: StoredValue<bool>,
}

impl TabTitle {
    /// Creates the title, keeps the tab's title up to date, and provides it to everything below the caller.
    pub fn provide() {
        let title = TabTitle {
            heading: RwSignal::default(),
            unread: RwSignal::new(0),
            has_shown_screen: StoredValue::new(false),
        };
        Effect::new(reactive(move || {
            document().set_title(&compose(&title.heading.read(), title.unread.get()))
        }));
        window_event_listener_untyped("visibilitychange", move |_| {
            if !document().hidden() {
                title.unread.set(0);
            }
        });
        provide_context(title);
    }

    /// Adds to the unread count if the tab is hidden. Showing the tab resets the count.
    pub fn add_unread(self, count: u64) {
        if count > 0 && document().hidden() {
            self.unread.update(|unread| *unread += count);
        }
    }
}

/// Returns the [`TabTitle`] that the app provides.
pub fn use_tab_title() -> TabTitle {
    use_context().expect("the app provides it to every view")
}

/// The one `h1` of a screen. It sets the tab's title, and takes the focus so that a screen reader announces the change.
/// The first screen leaves the focus alone: there the screen reader reads the document by itself.
#[component]
pub fn Heading(
    /// The text.
    #[prop(into)]
    text: String,
    /// The id of the element, for links and tests.
    #[prop(default = "heading")]
    id: &'static str,
) -> impl IntoView {
    let title = use_tab_title();
    title.heading.set(text.clone());
    if title.has_shown_screen.get_value() {
        focus_on(id);
    }
    title.has_shown_screen.set_value(true);
    view! { <h1 id=id tabindex="-1">{text}</h1> }
}

fn compose(heading: &str, unread: u64) -> String {
    let title = match heading {
        "" => APP_NAME.to_owned(),
        heading if heading.ends_with(APP_NAME) => heading.to_owned(),
        heading => format!("{heading} · {APP_NAME}"),
    };
    if unread == 0 { title } else { format!("({unread}) {title}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_has_the_unread_count_the_heading_and_the_name_of_the_app_once() {
        assert_eq!(compose("", 0), "Duplex");
        assert_eq!(compose(&format!("Welcome to {APP_NAME}"), 0), "Welcome to Duplex");
        assert_eq!(compose("news", 0), "news · Duplex");
        assert_eq!(compose("news", 3), "(3) news · Duplex");
    }
}
