//! `Feature`: one feature, as the app sees it.

use leptos::prelude::AnyView;

/// The paths of a feature, and its view.
pub struct Feature {
    /// Returns true if the feature has a view for that path.
    pub claims: fn(&str) -> bool,
    /// Creates the feature's view, when the user enters a path that it claims. The view stays while the user goes from
    /// one such path to another.
    pub view: fn() -> AnyView,
    /// The path that a new user is sent to, if this feature has one.
    pub home: Option<&'static str>,
}
