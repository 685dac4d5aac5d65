//! The visibility of the tab.

use leptos::prelude::document;

/// True if the tab is hidden.
pub fn is_hidden() -> bool {
    document().hidden()
}
