//! The focus: where a change of the page puts it, and where it goes when what had it is taken away.

use std::cell::Cell;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{FocusOptions, HtmlElement, HtmlInputElement};

use super::reactive;

thread_local! {
    /// The element that gets the focus with the next frame.
    static NEXT: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Moves the focus to the element with that id, once what was just changed is drawn. A one-line field comes into sight
/// and its text is selected; for anything else nothing scrolls. Of several calls before a frame the last one counts.
pub fn focus_on(id: &'static str) {
    if NEXT.replace(Some(id)).is_none() {
        request_animation_frame(|| NEXT.take().into_iter().for_each(focus_now));
    }
}

fn focus_now(id: &'static str) {
    let element = document().get_element_by_id(id).and_then(|element| element.dyn_into::<HtmlElement>().ok());
    let Some(element) = element else { return };
    let field = element.dyn_ref::<HtmlInputElement>();
    let options = FocusOptions::new();
    // A field that is to be filled in comes into sight, also on a low screen.
    options.set_prevent_scroll(field.is_none());
    drop(element.focus_with_options(&options));
    field.iter().for_each(|field| field.select());
}

/// Moves the focus to `then()` if it is inside the element `within` when the calling part of the view goes.
pub fn pass_focus_on(within: &'static str, then: impl Fn() -> &'static str + Send + Sync + 'static) {
    on_cleanup(move || {
        let focused = document().active_element();
        if focused.is_some_and(|it| it.closest(within).ok().flatten().is_some()) {
            focus_on(then());
        }
    });
}

/// True if there is a mouse, and so hardly a keyboard on the screen that a focused field would bring up.
pub fn has_fine_pointer() -> bool {
    window().match_media("(pointer: fine)").ok().flatten().is_some_and(|query| query.matches())
}

/// The first stop of the Tab key: a link past the header to the place where the page is used. Cheap to copy.
#[derive(Clone, Copy)]
pub struct SkipLink(RwSignal<Target>);

#[derive(Clone, Copy, PartialEq)]
struct Target {
    id: &'static str,
    label: &'static str,
}

const CONTENT: Target = Target { id: "main", label: "Skip to the content" };

impl SkipLink {
    /// Makes it, leading to the content, and hands it to everything below the caller.
    pub fn provide() {
        provide_context(SkipLink(RwSignal::new(CONTENT)));
    }

    /// Leads to the element with that id for as long as the calling component lives.
    pub fn lead_to(self, id: &'static str, label: &'static str) {
        self.0.set(Target { id, label });
        on_cleanup(move || {
            self.0.try_set(CONTENT);
        });
    }

    /// The id of the element that it leads to.
    pub fn target(self) -> &'static str {
        self.0.try_get_untracked().unwrap_or(CONTENT).id
    }
}

/// The [`SkipLink`] that the app provides.
pub fn use_skip_link() -> SkipLink {
    use_context().expect("the app provides it to every page")
}

/// The link itself, unseen until it has the focus; one a page.
#[component]
pub fn SkipLinkView() -> impl IntoView {
    let link = use_skip_link();
    let skip = move |event: leptos::ev::MouseEvent| {
        // The address stays as it is: "back" leads to the page before, not to this one without a fragment.
        event.prevent_default();
        focus_on(link.target());
    };
    view! {
        <a class="skip-link" href=reactive(move || format!("#{}", link.0.get().id)) on:click=skip>
            {reactive(move || link.0.get().label)}
        </a>
    }
}
