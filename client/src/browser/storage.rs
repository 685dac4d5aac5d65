//! `Storage`: short texts that the browser keeps for this page.
//!
//! A browser may forbid it, and it may be full. Whoever writes is told so; whoever reads finds nothing.

use leptos::prelude::window;

/// Where a text is kept, and so for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In the browser: seen by all its tabs, and still there when it was closed.
    Browser,
    /// In this tab: survives a reload, and ends with the tab.
    Tab,
}

impl Storage {
    /// The text under that name.
    pub fn read(self, name: &str) -> Option<String> {
        self.area()?.get_item(name).ok()?
    }

    /// Keeps a text in place of the one that was there. Tells whether that worked.
    #[must_use = "what could not be kept is gone after a reload"]
    pub fn write(self, name: &str, text: &str) -> bool {
        self.area().is_some_and(|area| area.set_item(name, text).is_ok())
    }

    /// Forgets a text.
    pub fn remove(self, name: &str) {
        if let Some(area) = self.area() {
            // Fails only where there is nothing to remove.
            let _ = area.remove_item(name);
        }
    }

    /// All names that begin so, in any order.
    pub fn names(self, prefix: &str) -> Vec<String> {
        let Some(area) = self.area() else { return Vec::new() };
        let count = area.length().unwrap_or_default();
        let names = (0..count).filter_map(|place| area.key(place).ok().flatten());
        names.filter(|name| name.starts_with(prefix)).collect()
    }

    /// Forgets all texts whose name begins so.
    pub fn clear(self, prefix: &str) {
        self.names(prefix).iter().for_each(|name| self.remove(name));
    }

    fn area(self) -> Option<web_sys::Storage> {
        match self {
            Storage::Browser => window().local_storage(),
            Storage::Tab => window().session_storage(),
        }
        .ok()
        .flatten()
    }
}
