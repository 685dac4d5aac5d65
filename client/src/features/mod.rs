//! The features: one folder each, named in two lines here. None of them knows another.

pub mod chat; // demo
mod placeholder;

use leptos::prelude::AnyView;

/// What a feature hands in.
pub struct Feature {
    /// Whether it has a page for that path.
    pub claims: fn(&str) -> bool,
    /// Its pages: made when a person comes to a path that it claims, and kept while they go from one to
    /// another.
    pub view: fn() -> AnyView,
    /// The path where a newcomer begins, if this feature has one.
    pub home: Option<&'static str>,
}

/// All of them. Where two claim one path, the first has it.
pub const ALL: &[Feature] = &[
    // One line each.
    chat::FEATURE, // demo
    placeholder::FEATURE,
];

/// The path where a newcomer begins: that of the first feature that names one.
pub fn home() -> Option<&'static str> {
    ALL.iter().find_map(|feature| feature.home)
}
