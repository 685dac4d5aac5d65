//! `Address`: the path in the address bar, and navigation without loading a new document.
//!
//! Plain links navigate: a click on a link to this origin is intercepted, whichever component rendered it. The app needs no
//! more of a router than this; a general one would be a fifth of the download.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlAnchorElement, MouseEvent};

/// The path in the address bar. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Address(RwSignal<String>);

impl Address {
    /// Creates the address, intercepts links and "back", and provides it to everything below the caller.
    pub fn provide() -> Address {
        let address = Address(RwSignal::new(location_path()));
        window_event_listener_untyped("popstate", move |_| address.update());
        window_event_listener_untyped("click", move |event| {
            if let Some(link) = link_to_follow(&event) {
                event.prevent_default();
                address.go(&format!("{}{}", link.pathname(), link.search()));
            }
        });
        provide_context(address);
        address
    }

    /// The path, beginning with a slash. Tracked.
    pub fn path(self) -> String {
        self.0.get()
    }

    /// Goes to a path of this origin. Going to the present path adds nothing to the browser's history.
    pub fn go(self, to: &str) {
        if location_path() == to {
            return self.update();
        }
        let pushed = window().history().and_then(|it| it.push_state_with_url(&JsValue::NULL, "", Some(to)));
        match pushed {
            Ok(()) => self.update(),
            // Browsers limit the rate of `pushState`: load the document instead.
            Err(_) => drop(window().location().set_href(to)),
        }
    }

    fn update(self) {
        let path = location_path();
        if *self.0.read_untracked() != path {
            self.0.set(path);
        }
    }
}

/// Returns the [`Address`] that the app provides.
pub fn use_address() -> Address {
    use_context().expect("the app provides it to every view")
}

/// Decodes one part of a path: `%20` becomes a space.
pub fn decoded(part: &str) -> String {
    js_sys::decode_uri_component(part).map_or_else(|_| part.to_owned(), String::from)
}

fn location_path() -> String {
    window().location().pathname().unwrap_or_default()
}

/// The link that was clicked, if the app should follow it instead of the browser.
fn link_to_follow(event: &Event) -> Option<HtmlAnchorElement> {
    let click = event.dyn_ref::<MouseEvent>()?;
    let wants_other_tab = click.ctrl_key() || click.meta_key() || click.shift_key() || click.alt_key();
    if event.default_prevented() || click.button() != 0 || wants_other_tab {
        return None;
    }
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let link: HtmlAnchorElement = target.closest("a[href]").ok()??.dyn_into().ok()?;
    let is_ours = link.origin() == window().location().origin().ok()? && link.hash().is_empty();
    let is_special = link.has_attribute("target") || link.has_attribute("download");
    (is_ours && !is_special).then_some(link)
}
