//! Keyboard focus: moving it after a change, and passing it on when the focused element is removed.

use std::cell::Cell;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{FocusOptions, HtmlElement, HtmlInputElement};

use super::reactive::reactive;

thread_local! {
    /// The id of the element that gets the focus on the next frame.
    static NEXT: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Moves the focus to the element with that id, once the present changes are rendered. A one-line field is scrolled
/// into view and its text is selected; for other elements nothing scrolls. Of several calls in one frame the last counts.
pub fn focus_on(id: &'static str) {
    if NEXT.replace(Some(id)).is_none() {
        request_animation_frame(|| {
            if let Some(id) = NEXT.take() {
                focus_now(id);
            }
        });
    }
}

fn focus_now(id: &'static str) {
    let element = document().get_element_by_id(id).and_then(|element| element.dyn_into::<HtmlElement>().ok());
    let Some(element) = element else { return };
    let field = element.dyn_ref::<HtmlInputElement>();
    let options = FocusOptions::new();
    // A field to fill in must be visible, also on a low screen.
    options.set_prevent_scroll(field.is_none());
    drop(element.focus_with_options(&options));
    if let Some(field) = field {
        field.select();
    }
}

/// Moves the focus to `then()` if it is inside the element `within` when the calling part of the view is removed.
pub fn pass_focus_on(within: &'static str, then: impl Fn() -> &'static str + Send + Sync + 'static) {
    on_cleanup(move || {
        let focused = document().active_element();
        if focused.is_some_and(|it| it.closest(within).ok().flatten().is_some()) {
            focus_on(then());
        }
    });
}

/// True if the device has a mouse, and so probably no on-screen keyboard that focusing a field would open.
pub fn has_fine_pointer() -> bool {
    window().match_media("(pointer: fine)").ok().flatten().is_some_and(|query| query.matches())
}

/// The link at the first stop of the Tab key, which skips the header. Cheap to copy.
#[derive(Clone, Copy)]
pub struct SkipLink(RwSignal<SkipTarget>);

#[derive(Clone, Copy, PartialEq)]
struct SkipTarget {
    id: &'static str,
    label: &'static str,
}

const CONTENT: SkipTarget = SkipTarget { id: "main", label: "Skip to content" };

impl SkipLink {
    /// Creates the link, leading to the content, and provides it to everything below the caller.
    pub fn provide() {
        provide_context(SkipLink(RwSignal::new(CONTENT)));
    }

    /// Points the link to the element with that id, for as long as the calling component lives.
    pub fn lead_to(self, id: &'static str, label: &'static str) {
        self.0.set(SkipTarget { id, label });
        on_cleanup(move || {
            self.0.try_set(CONTENT);
        });
    }

    /// The id of the element that the link leads to.
    pub fn target(self) -> &'static str {
        self.0.try_get_untracked().unwrap_or(CONTENT).id
    }
}

/// Returns the [`SkipLink`] that the app provides.
pub fn use_skip_link() -> SkipLink {
    use_context().expect("the app provides it to every view")
}

/// The element of the [`SkipLink`], invisible until it has the focus. There is one in the app.
#[component]
pub fn SkipLinkView() -> impl IntoView {
    let link = use_skip_link();
    let skip = move |event: leptos::ev::MouseEvent| {
        // A fragment in the address would add a step to the browser's history.
        event.prevent_default();
        focus_on(link.target());
    };
    view! {
        <a class="skip-link" href=reactive(move || format!("#{}", link.0.get().id)) on:click=skip>
            {reactive(move || link.0.get().label)}
        </a>
    }
}
