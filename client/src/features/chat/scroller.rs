//! `Scroller`: keeps the reader's place. At the end it follows what is new; anywhere else nothing moves by
//! itself.
//!
//! The browser's own scroll anchoring does not work at the very top, and not in every browser, so the style
//! sheet turns it off and the place is kept here. The end is followed when the browser says that something has
//! another size now: then all is laid out, and nothing has to be measured.

use leptos::html;
use leptos::prelude::*;
use shared::Seq;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, HtmlElement, NodeList, ResizeObserver};

use super::scroll_position::ScrollPosition;

/// This close to the end is the end.
const END_PX: i32 = 48;
/// This close to the top, older messages are wanted.
const TOP_PX: i32 = 400;
/// So far below the upper edge stands a row that was brought into sight.
const BROUGHT_PX: i32 = 16;

/// One scrolling list. Cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Scroller {
    /// The element that scrolls.
    pub(super) list: NodeRef<html::Div>,
    /// All that is in it.
    pub(super) content: NodeRef<html::Div>,
    /// Whether the reader is at the end, and so sees what is new.
    pub(super) is_at_end: RwSignal<bool>,
    /// How many new messages a reader who is not at the end has not seen.
    pub(super) missed: RwSignal<usize>,
    /// Width of the list: what was measured in another one is void.
    pub(super) width: RwSignal<i32>,
    /// Where the list was scrolled to, when that was last told.
    top: StoredValue<i32>,
    place: StoredValue<Option<ScrollPosition>>,
}

impl Scroller {
    /// At the end.
    pub(super) fn new() -> Scroller {
        let scroller = Scroller {
            list: NodeRef::new(),
            content: NodeRef::new(),
            is_at_end: RwSignal::new(true),
            missed: RwSignal::new(0),
            width: RwSignal::new(0),
            top: StoredValue::new(0),
            place: StoredValue::new(None),
        };
        scroller.adapt_when_resized();
        scroller
    }

    /// Notes where the reader is now.
    pub(super) fn on_scroll(self) {
        let Some(list) = self.element() else { return };
        let (was_at_end, top) = (self.is_at_end.get_untracked(), list.scroll_top());
        let is_near_end = list.scroll_height() - top - list.client_height() < END_PX;
        // More may have come before a scroll is told of: only going up leaves the end.
        let went_up = top < self.top.get_value();
        self.top.set_value(top);
        let is_at_end = is_near_end || (was_at_end && !went_up);
        if was_at_end != is_at_end {
            self.arrive(is_at_end);
        }
        self.place.set_value(if is_at_end { None } else { first_seen(&list) });
    }

    /// So many messages came.
    pub(super) fn miss(self, messages: usize) {
        if !self.is_at_end.get_untracked() {
            self.missed.update(|missed| *missed += messages);
        }
    }

    /// True if the reader will soon run out of messages at the top. Somebody who is at the end is there only when
    /// everything fits: the list may not have been scrolled to the end yet.
    pub(super) fn is_near_top(self) -> bool {
        self.element().is_some_and(|list| {
            let top = match self.is_at_end.get_untracked() {
                true => list.scroll_height() - list.client_height(),
                false => list.scroll_top(),
            };
            top < TOP_PX
        })
    }

    /// To the end, and to what is added there from now on.
    pub(super) fn to_end(self) {
        self.arrive(true);
        self.follow();
    }

    /// Where the reader is; nothing at the end.
    pub(super) fn place(self) -> Option<ScrollPosition> {
        self.place.try_get_value().flatten()
    }

    /// Makes a change above the reader's eyes, and keeps what they look at where it is.
    pub(super) fn hold(self, change: impl FnOnce()) {
        let is_at_end = self.is_at_end.try_get_untracked() == Some(true);
        let place = self.element().filter(|_| !is_at_end).and_then(|list| first_seen(&list));
        change();
        if let Some(place) = place {
            request_animation_frame(move || {
                self.show(place);
            });
        }
    }

    /// Goes from the end to a place, below which `missed` messages are new. Returns whether it is there.
    pub(super) fn go_to(self, place: ScrollPosition, missed: usize) -> bool {
        let is_there = self.show(place);
        if is_there {
            self.leave_end(missed);
        }
        is_there
    }

    /// Goes from the end to the row that the selector finds, if it is above the screen; `missed` messages below it
    /// are new.
    pub(super) fn go_up_to(self, row: &str, missed: usize) {
        let Some(list) = self.element() else { return };
        self.follow();
        let Ok(Some(row)) = list.query_selector(row) else { return };
        lay_out(&row);
        if offset(&row, &list) < BROUGHT_PX {
            self.leave_end(missed);
            let bring = move || list.set_scroll_top(list.scroll_top() + offset(&row, &list) - BROUGHT_PX);
            bring();
            // What came into sight with it may have another height than was thought.
            request_animation_frame(bring);
        }
    }

    /// Puts the message of the place where it was. Returns whether it is there.
    fn show(self, place: ScrollPosition) -> bool {
        let Some(list) = self.element() else { return false };
        let Ok(Some(message)) = list.query_selector(&format!("[data-seq='{}']", place.seq)) else {
            return false;
        };
        lay_out(&message);
        list.set_scroll_top(list.scroll_top() + offset(&message, &list) - place.offset);
        true
    }

    fn arrive(self, is_at_end: bool) {
        self.missed.set(0);
        self.is_at_end.set(is_at_end);
        self.place.set_value(None);
    }

    fn leave_end(self, missed: usize) {
        self.arrive(false);
        self.missed.set(missed);
    }

    /// Stays at the end, if the reader is there.
    fn follow(self) {
        let is_at_end = self.is_at_end.try_get_untracked() == Some(true);
        if let Some(list) = self.element().filter(|_| is_at_end) {
            // As far as it goes: asking how far that is would make the browser lay everything out.
            list.set_scroll_top(i32::MAX);
        }
    }

    fn element(self) -> Option<HtmlElement> {
        self.list.try_get_untracked().flatten().map(Into::into)
    }

    /// New rows, a growing composer, a keyboard on the screen, a turned phone.
    fn adapt_when_resized(self) {
        let resized = Closure::<dyn FnMut()>::new(move || {
            let Some(list) = self.element() else { return };
            let width = list.client_width();
            if self.width.get_untracked() != width {
                self.width.set(width);
                self.place().map(|place| self.show(place));
            }
            self.follow();
        });
        let Ok(observer) = ResizeObserver::new(resized.as_ref().unchecked_ref()) else { return };
        let kept = StoredValue::new_local((observer.clone(), resized));
        let of_content = observer.clone();
        self.list.on_load(move |list| observer.observe(&list));
        self.content.on_load(move |content| of_content.observe(&content));
        on_cleanup(move || {
            kept.try_with_value(|(observer, _)| observer.disconnect());
        });
    }
}

/// The first message that is at least partly in sight. What is not in sight may not be laid out, and is not asked.
fn first_seen(list: &HtmlElement) -> Option<ScrollPosition> {
    let top = list.get_bounding_client_rect().top();
    let is_in_sight = |element: &Element| element.get_bounding_client_rect().bottom() > top;
    let mut blocks = elements(list.query_selector_all(".block").ok()?).filter(is_in_sight);
    blocks.find_map(|block| {
        let message = elements(block.query_selector_all("[data-seq]").ok()?).find(is_in_sight)?;
        let seq = Seq(message.get_attribute("data-seq")?.parse().ok()?);
        Some(ScrollPosition { seq, offset: offset(&message, list) })
    })
}

fn elements(nodes: NodeList) -> impl Iterator<Item = Element> {
    (0..nodes.length()).filter_map(move |place| nodes.get(place)?.dyn_into().ok())
}

/// Has the browser lay out an element that it need not draw: until then it stands nowhere.
fn lay_out(element: &Element) {
    if element.get_bounding_client_rect().height() == 0.0 {
        element.scroll_into_view_with_bool(true);
    }
}

/// Distance of the element's upper edge below that of the list, in pixels.
fn offset(element: &Element, list: &HtmlElement) -> i32 {
    let (element, list) = (element.get_bounding_client_rect(), list.get_bounding_client_rect());
    (element.top() - list.top()).round() as i32
}
