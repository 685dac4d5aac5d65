//! `reactive`: a part of a view that is rendered again whenever a signal that it reads changes.
//!
//! Leptos accepts any closure for that, and compiles a copy of its machinery for each. Behind one boxed type they
//! share one copy, which saves a tenth of the download of a first visit.

/// A boxed closure that Leptos runs again whenever a signal that it reads changes.
pub type Reactive<T> = Box<dyn Fn() -> T + Send>;

/// Boxes `render` as a [`Reactive`].
pub fn reactive<T>(render: impl Fn() -> T + Send + 'static) -> Reactive<T> {
    Box::new(render)
}
