//! `live`: a part of a view that follows what it reads.
//!
//! Leptos takes any closure for that, and brings a copy of its machinery for each. Behind one type they share it:
//! a tenth of what a first visit downloads.

/// What is shown in one place, drawn anew whenever something that it reads changes.
pub type Reactive<T> = Box<dyn Fn() -> T + Send>;

/// Puts `draw` behind that type.
pub fn reactive<T>(draw: impl Fn() -> T + Send + 'static) -> Reactive<T> {
    Box::new(draw)
}
