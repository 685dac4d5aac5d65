//! The error screen after a panic, in plain DOM, since nothing else of the client may work any more.
//!
//! The button submits a form and has no listener: reloading must not need the code that has panicked.

use std::panic::{self, PanicHookInfo};

use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement};

const OVERLAY: &str = "panic";

/// Reports every panic in the console, and the first one on the screen.
pub fn install_hook() {
    panic::set_hook(Box::new(|info| {
        web_sys::console::error_1(&info.to_string().into());
        // Errors are ignored: a panic within a panic would abort before anything is shown.
        let _ = show_overlay(info);
    }));
}

fn show_overlay(info: &PanicHookInfo<'_>) -> Result<(), JsValue> {
    let Some(body) = document().body() else { return Ok(()) };
    if document().get_element_by_id(OVERLAY).is_some() {
        return Ok(());
    }
    let overlay = child(&body, "div", "")?;
    overlay.set_id(OVERLAY);
    overlay.set_class_name("panic");
    overlay.set_attribute("role", "alert")?;
    child(&overlay, "h2", "This page has stopped working")?;
    child(
        &overlay,
        "p",
        "It's our fault, not yours. Everything you've sent is safe. Reload the page to continue.",
    )?;
    let form = child(&overlay, "form", "")?;
    let button = child(&form, "button", "Reload")?;
    button.set_class_name("button");
    let details = child(&overlay, "details", "")?;
    child(&details, "summary", "What happened")?;
    child(&details, "pre", &info.to_string())?;
    button.dyn_into::<HtmlElement>()?.focus()
}

fn child(parent: &Element, tag: &str, text: &str) -> Result<Element, JsValue> {
    let element = document().create_element(tag)?;
    element.set_text_content(Some(text));
    parent.append_child(&element)?;
    Ok(element)
}
