//! The features: one folder each, listed twice below. No feature knows another.

pub mod chat; // demo
mod placeholder;

use leptos::prelude::AnyView;

/// A feature, as the app sees it.
pub struct Feature {
    /// Returns true if the feature has a view for that path.
    pub claims: fn(&str) -> bool,
    /// Creates the feature's view, when the user enters a path that it claims. The view stays while the user goes from
    /// one such path to another.
    pub view: fn() -> AnyView,
    /// The path that a new user is sent to, if this feature has one.
    pub home: Option<&'static str>,
}

/// All features. If two claim one path, the first has it.
pub const ALL: &[Feature] = &[
    // One line each.
    chat::FEATURE, // demo
    placeholder::FEATURE,
];

/// The path that a new user is sent to: the home of the first feature that has one.
pub fn home() -> Option<&'static str> {
    ALL.iter().find_map(|feature| feature.home)
}
