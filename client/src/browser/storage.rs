//! `WebStorage`: short texts that the browser stores for this origin.
//!
//! The browser may forbid storage, and it may be full. Then writing returns false and reading finds nothing.

use leptos::prelude::window;

/// A storage area of the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebStorage {
    /// `localStorage`: shared by all tabs, and kept when the browser is closed.
    Browser,
    /// `sessionStorage`: survives a reload, and ends with the tab.
    Tab,
}

impl WebStorage {
    /// Reads the text of that name.
    pub fn read(self, name: &str) -> Option<String> {
        self.area()?.get_item(name).ok()?
    }

    /// Writes a text over the one of that name. Returns false if the browser refuses.
    #[must_use = "a text that was refused is gone after a reload"]
    pub fn write(self, name: &str, text: &str) -> bool {
        self.area().is_some_and(|area| area.set_item(name, text).is_ok())
    }

    /// Removes a text.
    pub fn remove(self, name: &str) {
        if let Some(area) = self.area() {
            // Fails only where there is nothing to remove.
            let _ = area.remove_item(name);
        }
    }

    /// The names that begin with `prefix`, in no order.
    pub fn names(self, prefix: &str) -> Vec<String> {
        let Some(area) = self.area() else { return Vec::new() };
        let count = area.length().unwrap_or_default();
        let names = (0..count).filter_map(|index| area.key(index).ok().flatten());
        names.filter(|name| name.starts_with(prefix)).collect()
    }

    /// Removes all texts whose name begins with `prefix`.
    pub fn clear(self, prefix: &str) {
        for name in self.names(prefix) {
            self.remove(&name);
        }
    }

    fn area(self) -> Option<web_sys::Storage> {
        match self {
            WebStorage::Browser => window().local_storage(),
            WebStorage::Tab => window().session_storage(),
        }
        .ok()
        .flatten()
    }
}
