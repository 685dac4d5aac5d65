//! `Address`: where the person is, and how they get elsewhere without a new page being loaded.
//!
//! Plain links do it: a click on one that leads to this origin is taken, whoever made the link. This is all
//! of a router that the page needs; a general one would be a fifth of the download.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlAnchorElement, MouseEvent};

/// The path of the page. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Address(RwSignal<String>);

impl Address {
    /// Makes it, follows links and the browser's "back", and hands it to everything below the caller.
    pub fn provide() -> Address {
        let address = Address(RwSignal::new(shown_path()));
        window_event_listener_untyped("popstate", move |_| address.arrive());
        window_event_listener_untyped("click", move |event| {
            if let Some(link) = link_to_follow(&event) {
                event.prevent_default();
                address.go(&format!("{}{}", link.pathname(), link.search()));
            }
        });
        provide_context(address);
        address
    }

    /// The path, beginning with a slash.
    pub fn path(self) -> String {
        self.0.get()
    }

    /// Goes to a path of this origin. Where one is already, nothing is added to the browser's history.
    pub fn go(self, to: &str) {
        if shown_path() == to {
            return self.arrive();
        }
        let pushed = window().history().and_then(|it| it.push_state_with_url(&JsValue::NULL, "", Some(to)));
        match pushed {
            Ok(()) => self.arrive(),
            // Browsers allow only so many steps in a while: then it is an ordinary page load.
            Err(_) => drop(window().location().set_href(to)),
        }
    }

    fn arrive(self) {
        let path = shown_path();
        if *self.0.read_untracked() != path {
            self.0.set(path);
        }
    }
}

/// The [`Address`] that the app provides.
pub fn use_address() -> Address {
    use_context().expect("the app provides it to every page")
}

/// One part of a path as it was meant, `%20` being a space again.
pub fn decoded(part: &str) -> String {
    js_sys::decode_uri_component(part).map_or_else(|_| part.to_owned(), String::from)
}

fn shown_path() -> String {
    window().location().pathname().unwrap_or_default()
}

/// The link that was clicked, when following it is the page's business and not the browser's.
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
