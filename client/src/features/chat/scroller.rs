//! `Scroller`: keeps the reader's place. At the end it follows what is new; anywhere else nothing moves by
//! itself.
//!
//! The browser's own scroll anchoring does not work at the very top, and not in every browser, so the style
//! sheet turns it off and the place is kept here.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, HtmlElement, ResizeObserver};

/// This close to the end is the end.
const END_PX: i32 = 48;
/// This close to the top, older lines are wanted.
const TOP_PX: i32 = 400;

/// One scrolling list. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Scroller {
    /// The element that scrolls.
    pub(super) list: NodeRef<html::Div>,
    /// Whether the reader is at the end, and so sees what is new.
    pub(super) is_at_end: RwSignal<bool>,
    /// How many new lines a reader who is not at the end has not seen.
    pub(super) missed: RwSignal<usize>,
    /// Where the list was scrolled to, when that was last told.
    top: StoredValue<u32>,
}

impl Scroller {
    /// At the end.
    pub(super) fn new() -> Scroller {
        let (is_at_end, missed) = (RwSignal::new(true), RwSignal::new(0));
        let scroller = Scroller { list: NodeRef::new(), is_at_end, missed, top: StoredValue::new(0) };
        scroller.follow_when_resized();
        scroller
    }

    /// Notes where the reader is now.
    pub(super) fn on_scroll(self) {
        let Some(list) = self.element() else { return };
        let (was_at_end, top) = (self.is_at_end.get_untracked(), list.scroll_top());
        let is_near_end = list.scroll_height() - top - list.client_height() < END_PX;
        // More may have come before a scroll is told of: only going up leaves the end.
        let went_up = (top as u32) < self.top.get_value();
        self.top.set_value(top as u32);
        let is_at_end = is_near_end || (was_at_end && !went_up);
        if was_at_end != is_at_end {
            self.arrive(is_at_end);
        }
    }

    /// So many lines came.
    pub(super) fn miss(self, lines: usize) {
        if !self.is_at_end.get_untracked() {
            self.missed.update(|missed| *missed += lines);
        }
    }

    /// Whether the reader will soon run out of lines at the top.
    pub(super) fn is_near_top(self) -> bool {
        self.element().is_some_and(|list| list.scroll_top() < TOP_PX)
    }

    /// To the end, once what was just added is drawn.
    pub(super) fn to_end(self) {
        self.arrive(true);
        self.follow();
    }

    /// Stays at the end, if the reader is there.
    pub(super) fn follow(self) {
        request_animation_frame(move || {
            let is_at_end = self.is_at_end.try_get_untracked() == Some(true);
            if let Some(list) = self.element().filter(|_| is_at_end) {
                list.set_scroll_top(list.scroll_height());
            }
        });
    }

    /// Makes a change above the reader's eyes, and keeps what they look at where it is.
    pub(super) fn hold(self, change: impl FnOnce()) {
        let anchor = self.element().and_then(|list| first_seen(&list));
        change();
        let Some((seq, before)) = anchor else { return };
        request_animation_frame(move || {
            let Some(list) = self.element() else { return };
            if let Ok(Some(message)) = list.query_selector(&format!("[data-seq='{seq}']")) {
                let moved = message.get_bounding_client_rect().top() - before;
                list.set_scroll_top(list.scroll_top() + moved.round() as i32);
            }
        });
    }

    fn arrive(self, is_at_end: bool) {
        self.missed.set(0);
        self.is_at_end.set(is_at_end);
    }

    fn element(self) -> Option<HtmlElement> {
        self.list.try_get_untracked().flatten().map(Into::into)
    }

    /// A growing composer, a keyboard on the screen, a turned phone.
    fn follow_when_resized(self) {
        let resized = Closure::<dyn FnMut()>::new(move || {
            let is_at_end = self.is_at_end.try_get_untracked() == Some(true);
            if let Some(list) = self.element().filter(|_| is_at_end) {
                list.set_scroll_top(list.scroll_height());
            }
        });
        let Ok(observer) = ResizeObserver::new(resized.as_ref().unchecked_ref()) else { return };
        let kept = StoredValue::new_local((observer.clone(), resized));
        self.list.on_load(move |list| observer.observe(&list));
        on_cleanup(move || {
            kept.try_with_value(|(observer, _)| observer.disconnect());
        });
    }
}

/// The first line that is at least partly in sight: its seq and where it stands.
fn first_seen(list: &HtmlElement) -> Option<(String, f64)> {
    let top = list.get_bounding_client_rect().top();
    let messages = list.query_selector_all("[data-seq]").ok()?;
    let mut messages = (0..messages.length()).filter_map(|n| messages.get(n)?.dyn_into::<Element>().ok());
    let seen = messages.find(|message| message.get_bounding_client_rect().bottom() > top)?;
    Some((seen.get_attribute("data-seq")?, seen.get_bounding_client_rect().top()))
}
