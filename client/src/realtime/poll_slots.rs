//! `PollSlots`: which windows of this browser keep a request waiting at the node.
//!
//! Over HTTP/1.1 a browser opens six connections to a host, for all its windows together. If each window kept one
//! waiting, the seventh could not load and nobody could send. So a window has one waiting request at most, and the
//! browser three; the other windows ask every few seconds. The windows agree through the browser's storage, without a
//! lock: two that take the same slot at once cost a connection and nothing else.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use shared::Millis;

use crate::browser::{self, Storage};

/// So many requests of one browser wait at the node, half of its connections.
const SLOTS: usize = 3;
/// A window that was closed gives its slot back after so long. A waiting request is answered well before.
const HELD_MS: Millis = 45_000;

/// This window's share. Cheap to clone.
#[derive(Clone)]
pub(super) struct PollSlots(Rc<Window>);

struct Window {
    name: String,
    is_waiting: Cell<bool>,
    slot: RefCell<Option<String>>,
}

/// The right to keep one request waiting; dropping it gives it back.
pub(super) struct PollSlot(Rc<Window>);

impl PollSlots {
    /// None taken.
    pub(super) fn new() -> PollSlots {
        let name = browser::new_key().as_str().to_owned();
        PollSlots(Rc::new(Window { name, is_waiting: Cell::new(false), slot: RefCell::default() }))
    }

    /// Takes a slot. Nothing where this window has one already, or the browser's other windows have all.
    pub(super) fn take(&self) -> Option<PollSlot> {
        if self.0.is_waiting.get() {
            return None;
        }
        // One is kept free for windows that somebody looks at.
        let first = if browser::is_hidden() { 1 } else { 0 };
        let held = Held { by: self.0.name.clone(), until: browser::wall_ms() + HELD_MS };
        let free = (first..SLOTS).map(item).find(|item| {
            let kept = Storage::Browser.read(item);
            is_free(kept.as_deref(), &held)
        })?;
        // A browser that keeps nothing lets each window wait: there is no telling how many there are.
        if Storage::Browser.write(&free, &held.text()) && Storage::Browser.read(&free) != Some(held.text()) {
            return None;
        }
        self.0.slot.replace(Some(free));
        self.0.is_waiting.set(true);
        Some(PollSlot(self.0.clone()))
    }
}

impl Drop for PollSlot {
    fn drop(&mut self) {
        self.0.is_waiting.set(false);
        if let Some(item) = self.0.slot.take() {
            let kept = Storage::Browser.read(&item);
            if kept.and_then(|text| Held::read(&text)).is_some_and(|held| held.by == self.0.name) {
                Storage::Browser.remove(&item);
            }
        }
    }
}

/// A slot as the storage knows it.
#[derive(Debug, PartialEq)]
struct Held {
    by: String,
    until: Millis,
}

impl Held {
    fn text(&self) -> String {
        format!("{} {}", self.by, self.until)
    }

    fn read(text: &str) -> Option<Held> {
        let (by, until) = text.split_once(' ')?;
        Some(Held { by: by.to_owned(), until: until.parse().ok()? })
    }
}

/// True if a slot can be had by who would hold it as `wanted` says: nobody has it, or not any more. One that is held
/// for longer than anybody may was taken before the clock was turned back.
fn is_free(kept: Option<&str>, wanted: &Held) -> bool {
    let Some(held) = kept.and_then(Held::read) else { return true };
    let now = wanted.until - HELD_MS;
    held.by == wanted.by || held.until < now || held.until > now + HELD_MS
}

fn item(number: usize) -> String {
    format!("duplex:poll:{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_when_nobody_has_it_any_more() {
        let wanted = Held { by: "me".into(), until: 100_000 + HELD_MS };
        let held = |by: &str, until| Held { by: by.into(), until }.text();
        assert!(is_free(None, &wanted));
        assert!(is_free(Some("not one of ours"), &wanted));
        assert!(is_free(Some(&held("me", 120_000)), &wanted));
        assert!(is_free(Some(&held("other", 99_999)), &wanted), "it was closed");
        assert!(is_free(Some(&held("other", 400_000)), &wanted), "the clock was turned back");
        assert!(!is_free(Some(&held("other", 120_000)), &wanted));
    }
}
