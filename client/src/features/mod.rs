//! The features: one folder each, listed twice below. No feature knows another.

mod feature;
pub use feature::Feature;

pub mod chat; // demo
mod placeholder;

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
