//! `Scroller`: the scroll position of a list. At the end it follows new messages; anywhere else nothing moves by itself.
//!
//! The browser's own scroll anchoring does not work at the very top, nor in every browser, so the style sheet turns it
//! off and this type keeps the position. It scrolls to the end when a `ResizeObserver` fires: then the layout is done,
//! and nothing has to be measured.

use leptos::html;
use leptos::prelude::*;
use shared::Seq;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, HtmlElement, NodeList, ResizeObserver};

use super::scroll_position::ScrollPosition;

/// A distance from the end that counts as the end.
const END_PX: i32 = 48;
/// The distance from the top at which older messages are loaded.
const TOP_PX: i32 = 400;
/// The distance from the upper edge of the list to a row that was scrolled into view.
const REVEALED_PX: i32 = 16;

/// A scrolling list. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Scroller {
    /// The element that scrolls.
    pub list: NodeRef<html::Div>,
    /// The content of the list.
    pub content: NodeRef<html::Div>,
    /// True if the user is at the end, and so sees new messages.
    pub is_at_end: RwSignal<bool>,
    /// The number of new messages below the screen, for a user who is not at the end.
    pub missed: RwSignal<usize>,
    /// The width of the list. Heights that were measured at another width are void.
    pub width: RwSignal<i32>,
    /// The scroll offset at the last scroll event.
    top: StoredValue<i32>,
    position: StoredValue<Option<ScrollPosition>>,
}

impl Scroller {
    /// Creates a scroller that is at the end.
    pub fn new() -> Scroller {
        let scroller = Scroller {
            list: NodeRef::new(),
            content: NodeRef::new(),
            is_at_end: RwSignal::new(true),
            missed: RwSignal::new(0),
            width: RwSignal::new(0),
            top: StoredValue::new(0),
            position: StoredValue::new(None),
        };
        scroller.observe_resizes();
        scroller
    }

    /// Handles a scroll event.
    pub fn on_scroll(self) {
        let Some(list) = self.element() else { return };
        let was_at_end = self.is_at_end.get_untracked();
        let top = list.scroll_top();
        let is_near_end = list.scroll_height() - top - list.client_height() < END_PX;
        // New messages may have moved the end before the event arrived: only scrolling up leaves it.
        let went_up = top < self.top.get_value();
        self.top.set_value(top);
        let is_at_end = is_near_end || (was_at_end && !went_up);
        if was_at_end != is_at_end {
            self.set_at_end(is_at_end, 0);
        }
        self.position.set_value(if is_at_end { None } else { first_visible(&list) });
    }

    /// Counts new messages, unless the user is at the end and sees them.
    pub fn add_missed(self, messages: usize) {
        if !self.is_at_end.get_untracked() {
            self.missed.update(|missed| *missed += messages);
        }
    }

    /// True if the user will soon run out of messages at the top. At the end that is so only if everything fits on the
    /// screen, whatever the scroll offset: the list may not have been scrolled to the end yet.
    pub(super) fn is_near_top(self) -> bool {
        self.element().is_some_and(|list| {
            let top = match self.is_at_end.get_untracked() {
                true => list.scroll_height() - list.client_height(),
                false => list.scroll_top(),
            };
            top < TOP_PX
        })
    }

    /// Scrolls to the end and follows it.
    pub fn to_end(self) {
        self.set_at_end(true, 0);
        self.follow();
    }

    /// The scroll position; `None` at the end.
    pub(super) fn position(self) -> Option<ScrollPosition> {
        self.position.try_get_value().flatten()
    }

    /// Makes a change above the visible messages, and keeps those where they are.
    pub(super) fn keep_in_place(self, change: impl FnOnce()) {
        let is_at_end = self.is_at_end.try_get_untracked() == Some(true);
        let position = self.element().filter(|_| !is_at_end).and_then(|list| first_visible(&list));
        change();
        if let Some(position) = position {
            request_animation_frame(move || {
                self.restore(position);
            });
        }
    }

    /// Scrolls from the end to a position, below which `missed` messages are new. Returns false if its message is not
    /// loaded.
    pub(super) fn go_to(self, position: ScrollPosition, missed: usize) -> bool {
        let is_restored = self.restore(position);
        if is_restored {
            self.set_at_end(false, missed);
        }
        is_restored
    }

    /// Scrolls from the end up to the row that the selector finds, if it is above the screen; `missed` messages below it
    /// are new.
    pub(super) fn go_up_to(self, row: &str, missed: usize) {
        let Some(list) = self.element() else { return };
        self.follow();
        let Ok(Some(row)) = list.query_selector(row) else { return };
        lay_out(&row);
        if offset(&row, &list) < REVEALED_PX {
            self.set_at_end(false, missed);
            let reveal = move || list.set_scroll_top(list.scroll_top() + offset(&row, &list) - REVEALED_PX);
            reveal();
            // Rows that came into sight may have turned out to be of another height.
            request_animation_frame(reveal);
        }
    }

    /// Scrolls to a position. Returns false if its message is not loaded.
    fn restore(self, position: ScrollPosition) -> bool {
        let Some(list) = self.element() else { return false };
        let Ok(Some(message)) = list.query_selector(&format!("[data-seq='{}']", position.seq)) else {
            return false;
        };
        lay_out(&message);
        list.set_scroll_top(list.scroll_top() + offset(&message, &list) - position.offset);
        true
    }

    fn set_at_end(self, is_at_end: bool, missed: usize) {
        self.missed.set(missed);
        self.is_at_end.set(is_at_end);
        self.position.set_value(None);
    }

    /// Scrolls to the end again, if the user is there.
    fn follow(self) {
        let is_at_end = self.is_at_end.try_get_untracked() == Some(true);
        if let Some(list) = self.element().filter(|_| is_at_end) {
            // The browser clamps the value. Reading the height instead would force it to lay everything out.
            list.set_scroll_top(i32::MAX);
        }
    }

    fn element(self) -> Option<HtmlElement> {
        self.list.try_get_untracked().flatten().map(Into::into)
    }

    /// Follows changes of size: new rows, a growing composer, an on-screen keyboard, a rotated phone.
    fn observe_resizes(self) {
        let resized = Closure::<dyn FnMut()>::new(move || {
            let Some(list) = self.element() else { return };
            let width = list.client_width();
            if self.width.get_untracked() != width {
                self.width.set(width);
                if let Some(position) = self.position() {
                    self.restore(position);
                }
            }
            self.follow();
        });
        let Ok(observer) = ResizeObserver::new(resized.as_ref().unchecked_ref()) else { return };
        let cleanup = StoredValue::new_local((observer.clone(), resized));
        let content_observer = observer.clone();
        self.list.on_load(move |list| observer.observe(&list));
        self.content.on_load(move |content| content_observer.observe(&content));
        on_cleanup(move || {
            cleanup.try_with_value(|(observer, _)| observer.disconnect());
        });
    }
}

/// The position of the first message that is at least partly in sight. Blocks out of sight may not be laid out, so
/// their messages are not measured.
fn first_visible(list: &HtmlElement) -> Option<ScrollPosition> {
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
    (0..nodes.length()).filter_map(move |index| nodes.get(index)?.dyn_into().ok())
}

/// Forces the browser to lay out an element out of sight, which has no position before.
fn lay_out(element: &Element) {
    if element.get_bounding_client_rect().height() == 0.0 {
        element.scroll_into_view_with_bool(true);
    }
}

/// The distance from the upper edge of the list to that of the element, in pixels.
fn offset(element: &Element, list: &HtmlElement) -> i32 {
    let element_top = element.get_bounding_client_rect().top();
    let list_top = list.get_bounding_client_rect().top();
    (element_top - list_top).round() as i32
}
