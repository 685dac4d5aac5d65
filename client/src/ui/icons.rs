//! Icons: 24 units wide, one stroke, the colour of the text around them.

use leptos::prelude::*;

/// The name of an icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IconName {
    /// Back to the previous screen.
    Back,
    /// Down to the latest.
    Down,
    /// Create.
    Plus,
    /// Send.
    Send,
    /// Members.
    Members,
    /// Waiting.
    Clock,
    /// Error.
    Alert,
}

/// An icon. Hidden from screen readers: the element around it has a text.
#[component]
pub fn Icon(
    /// The icon to show.
    name: IconName,
) -> impl IntoView {
    let path = match name {
        IconName::Back => "M15 5l-7 7 7 7",
        IconName::Down => "M12 5v14M6 13l6 6 6-6",
        IconName::Plus => "M12 5v14M5 12h14",
        IconName::Send => "M12 19V5M6 11l6-6 6 6",
        IconName::Members => {
            "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21a7 7 0 0 1 14 0M16 3.5a4 4 0 0 1 0 7M18 14.5a7 7 0 0 1 4 6.5"
        }
        IconName::Clock => "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2",
        IconName::Alert => "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v5M12 16v.01",
    };
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
