//! `PollSlots`: the limit on long polls that all tabs of one browser keep open at a node.
//!
//! Over HTTP/1.1 a browser opens six connections to a host, for all its tabs together. If each tab kept a long poll
//! open, the seventh tab could not load and nobody could send. So a tab keeps one long poll at most and the browser
//! three; the other tabs ask every few seconds. The tabs agree through the browser's storage, without a lock: two tabs
//! that take the same slot at once cost one connection and nothing else.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::document;
use shared::Millis;

use crate::browser::{self, WebStorage};

/// Long polls of one browser: half of its connections to a host.
const SLOTS: usize = 3;
/// The time after which the slot of a closed tab is free again. A long poll is answered well before.
const LEASE_MS: Millis = 45_000;

/// The slots, as one tab uses them. Cheap to clone.
#[derive(Clone)]
pub(super) struct PollSlots {
    tab_id: String,
    is_polling: Rc<Cell<bool>>,
}

/// The permission to keep one long poll open; dropping it frees the slot.
pub(super) struct PollSlot {
    name: String,
    slots: PollSlots,
}

impl PollSlots {
    /// Creates the tab's access to the slots; it holds none.
    pub(super) fn new() -> PollSlots {
        PollSlots { tab_id: browser::new_key().as_str().to_owned(), is_polling: Rc::default() }
    }

    /// Takes a free slot. `None` if this tab has one already, or other tabs hold all of them.
    pub(super) fn acquire(&self) -> Option<PollSlot> {
        if self.is_polling.get() {
            return None;
        }
        // Hidden tabs leave the first slot to the visible ones.
        let first = if document().hidden() { 1 } else { 0 };
        let lease = Lease { holder: self.tab_id.clone(), until: browser::wall_ms() + LEASE_MS };
        let name = (first..SLOTS).map(|slot| format!("duplex:poll:{slot}")).find(|name| {
            let stored = WebStorage::Browser.read(name);
            is_free(stored.as_deref(), &lease)
        })?;
        // Without storage every tab polls: it cannot know how many others there are.
        let is_stored = WebStorage::Browser.write(&name, &lease.to_text());
        if is_stored && WebStorage::Browser.read(&name) != Some(lease.to_text()) {
            return None;
        }
        self.is_polling.set(true);
        Some(PollSlot { name, slots: self.clone() })
    }
}

impl Drop for PollSlot {
    fn drop(&mut self) {
        self.slots.is_polling.set(false);
        let lease = WebStorage::Browser.read(&self.name).and_then(|text| Lease::parse(&text));
        if lease.is_some_and(|lease| lease.holder == self.slots.tab_id) {
            WebStorage::Browser.remove(&self.name);
        }
    }
}

/// A slot's entry in the browser's storage.
#[derive(Debug, PartialEq)]
struct Lease {
    holder: String,
    until: Millis,
}

impl Lease {
    fn to_text(&self) -> String {
        format!("{} {}", self.holder, self.until)
    }

    fn parse(text: &str) -> Option<Lease> {
        let (holder, until) = text.split_once(' ')?;
        Some(Lease { holder: holder.to_owned(), until: until.parse().ok()? })
    }
}

/// True if the holder of `wanted` may take the slot: nobody holds it, or the lease has expired.
///
/// A lease that ends later than a new one would was written before the clock was set back, and counts as expired.
fn is_free(stored: Option<&str>, wanted: &Lease) -> bool {
    let Some(lease) = stored.and_then(Lease::parse) else { return true };
    let now = wanted.until - LEASE_MS;
    lease.holder == wanted.holder || lease.until < now || lease.until > now + LEASE_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_when_its_lease_has_expired() {
        let wanted = Lease { holder: "me".into(), until: 100_000 + LEASE_MS };
        let lease = |holder: &str, until| Lease { holder: holder.into(), until }.to_text();
        assert!(is_free(None, &wanted));
        assert!(is_free(Some("not a lease"), &wanted));
        assert!(is_free(Some(&lease("me", 120_000)), &wanted));
        assert!(is_free(Some(&lease("other", 99_999)), &wanted), "its tab was closed");
        assert!(is_free(Some(&lease("other", 400_000)), &wanted), "the clock was set back");
        assert!(!is_free(Some(&lease("other", 120_000)), &wanted));
    }
}
