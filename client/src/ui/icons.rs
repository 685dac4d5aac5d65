//! Icons: 24 units wide, one stroke, the colour of the text around them.

use leptos::prelude::*;

/// Back to the previous screen.
pub const BACK: &str = "M15 5l-7 7 7 7";
/// Down to the latest.
pub const DOWN: &str = "M12 5v14M6 13l6 6 6-6";
/// Create.
pub const PLUS: &str = "M12 5v14M5 12h14";
/// Send.
pub const SEND: &str = "M12 19V5M6 11l6-6 6 6";
/// Members.
pub const MEMBERS: &str =
    "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21a7 7 0 0 1 14 0M16 3.5a4 4 0 0 1 0 7M18 14.5a7 7 0 0 1 4 6.5";
/// Waiting.
pub const CLOCK: &str = "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2";
/// Error.
pub const ALERT: &str = "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v5M12 16v.01";

/// An icon. Hidden from screen readers: the element around it has a text.
#[component]
pub fn Icon(
    /// One of the icons of this module.
    path: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}

/// The logo of the app: two arrows that pass each other.
#[component]
pub fn Logo() -> impl IntoView {
    view! {
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
            <rect class="logo-ground" width="32" height="32" rx="9"></rect>
            <path class="logo-mark" d="M8 12.5h14M18 8l4.5 4.5L18 17M24 19.5H10M14 15l-4.5 4.5L14 24"></path>
        </svg>
    }
}
